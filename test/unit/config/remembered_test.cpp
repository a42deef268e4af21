#include "config/remembered.hpp"

#include <gtest/gtest.h>

#include "temp_folder.hpp"

namespace ipfscluster::config {
namespace {

PeerId peer(char fill) {
    return PeerId::from_bytes(Bytes("\x00\x24\x08\x01\x12\x20", 6) + Bytes(32, fill)).value();
}

TEST(Remembered, the_file_returns_as_it_went) {
    TempFolder temp;
    const auto path = temp.path("members.json");
    EXPECT_EQ(load_remembered(path).value(), Remembered{}) << "no file remembers nothing";
    const Remembered two{false, {peer('a'), peer('b')}};
    ASSERT_TRUE(save_remembered(path, two));
    EXPECT_EQ(load_remembered(path).value(), two);
    ASSERT_TRUE(save_remembered(path, {.joining = true, .members = {}}));
    EXPECT_TRUE(load_remembered(path).value().joining);
}

TEST(Remembered, has_a_fixed_form) {
    EXPECT_EQ(remembered_text({false, {peer('a')}}),
              "{\n  \"version\": 1,\n  \"joining\": false,\n  \"members\": [\n    \"" +
                  peer('a').to_string() + "\"\n  ]\n}\n");
}

TEST(Remembered, what_is_not_this_file_is_refused) {
    const auto newer = parse_remembered(R"({"version": 2})");
    ASSERT_FALSE(newer);
    EXPECT_EQ(newer.error().kind, Kind::unsupported);
    for (const char* text :
         {"", "[]", "{}", R"({"version": "1"})", R"({"version": 1})",
          R"({"version": 1, "joining": false})", R"({"version": 1, "joining": 0, "members": []})",
          R"({"version": 1, "joining": false, "members": [1]})",
          R"({"version": 1, "joining": false, "members": ["x"]})"}) {
        const auto read = parse_remembered(text);
        ASSERT_FALSE(read) << text;
        EXPECT_EQ(read.error().kind, Kind::corrupt) << text;
    }
}

}  // namespace
}  // namespace ipfscluster::config
