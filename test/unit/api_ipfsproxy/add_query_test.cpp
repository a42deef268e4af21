// Kubo's options of `add` as the importer's.
#include "api/ipfsproxy/add_query.hpp"

#include <gtest/gtest.h>

namespace ipfscluster::ipfsproxy {
namespace {

const Time kNow = Time(std::chrono::seconds(1'700'000'000));

TEST(kubo_add, options_are_translated) {
    const auto parse = [](codec::Query query) { return parse_kubo_add(query, kNow); };
    const auto plain =
        parse({{"pin", "true"}, {"inline", "false"}, {"inline-limit", "32"}, {"progress", "true"}});
    ASSERT_TRUE(plain) << plain.error().text;
    EXPECT_TRUE(plain.value().stream);
    EXPECT_TRUE(plain.value().params.progress);
    EXPECT_FALSE(plain.value().params.no_pin);
    EXPECT_TRUE(parse({{"pin", "false"}}).value().params.no_pin);
    EXPECT_EQ(parse({{"trickle", "true"}}).value().params.layout, "trickle");
    EXPECT_EQ(parse({{"pin-name", "n"}}).value().params.pin.name, "n");
    EXPECT_EQ(parse({{"hash", "blake3"}}).value().params.cid_version, 1);
    EXPECT_EQ(parse({{"replication-min", "2"}, {"replication-max", "3"}})
                  .value()
                  .params.pin.replication_min,
              2);
    EXPECT_FALSE(parse({{"stream-channels", "false"}}).value().stream);
}

TEST(kubo_add, what_would_store_something_else_is_refused_by_name) {
    for (const char* name :
         {"inline", "preserve-mode", "mode", "mtime", "max-file-links", "to-files"}) {
        const codec::Query query{{name, "7"}};
        const auto parsed = parse_kubo_add(query, kNow);
        ASSERT_FALSE(parsed) << name;
        EXPECT_NE(parsed.error().text.find(name), std::string::npos);
    }
    EXPECT_FALSE(parse_kubo_add({{"cid-version", "x"}}, kNow));
}

}  // namespace
}  // namespace ipfscluster::ipfsproxy
