#include "model/pin.hpp"

#include <gtest/gtest.h>

#include "support/pins.hpp"

namespace ipfscluster {
namespace {

TEST(pin_type, names_are_those_of_the_go_programs_and_read_back) {
    const std::vector<std::pair<PinType, std::string>> table{
        {PinType::data, "pin"},
        {PinType::meta, "meta-pin"},
        {PinType::cluster_dag, "clusterdag-pin"},
        {PinType::shard, "shard-pin"},
        {PinType::all, "all"}};
    for (const auto& [type, name] : table) {
        EXPECT_EQ(to_string(type), name);
        EXPECT_EQ(parse_pin_type(name), type);
    }
    EXPECT_EQ(to_string(PinType::bad), "bad-type");
    for (const auto* text : {"", "PIN", "bad-type", "pin ", "data"})
        EXPECT_EQ(parse_pin_type(text), PinType::bad) << text;
}

TEST(pin_type, all_is_the_or_of_the_four_types) {
    std::uint32_t sum = 0;
    for (const auto type : {PinType::data, PinType::meta, PinType::cluster_dag, PinType::shard})
        sum |= static_cast<std::uint32_t>(type);
    EXPECT_EQ(sum, static_cast<std::uint32_t>(PinType::all));
}

TEST(replication, factors_are_valid_only_by_the_four_rules) {
    struct Case {
        int min, max;
        const char* why;  ///< empty: valid
    };
    for (const auto& c : std::vector<Case>{{-1, -1, ""},
                                           {1, 1, ""},
                                           {2, 5, ""},
                                           {0, 0, "0"},
                                           {0, 3, "0"},
                                           {3, 0, "0"},
                                           {-1, 2, "both"},
                                           {2, -1, "both"},
                                           {-2, -2, "smallest"},
                                           {-2, 3, "smallest"},
                                           {3, 2, "larger"}}) {
        const auto checked = check_replication(c.min, c.max);
        EXPECT_EQ(checked.has_value(), std::string(c.why).empty()) << c.min << ' ' << c.max;
        if (checked) continue;
        EXPECT_EQ(checked.error().kind, Kind::invalid);
        EXPECT_NE(checked.error().text.find(c.why), std::string::npos) << checked.error().text;
        EXPECT_NE(checked.error().text.find("min=" + std::to_string(c.min)), std::string::npos);
    }
}

TEST(pin, is_allocated_to_its_holders_or_to_everyone) {
    auto pin = test::pin_on(test::cid(1), {test::peer(1), test::peer(2)});
    EXPECT_TRUE(pin.allocated_to(test::peer(1)));
    EXPECT_FALSE(pin.allocated_to(test::peer(3)));
    pin.options.replication_min = pin.options.replication_max = -1;
    pin.allocations.clear();
    EXPECT_TRUE(pin.allocated_to(test::peer(3)));
    // No holder and no "everywhere": nobody.
    pin.options.replication_min = pin.options.replication_max = 1;
    EXPECT_FALSE(pin.allocated_to(test::peer(3)));
}

}  // namespace
}  // namespace ipfscluster
