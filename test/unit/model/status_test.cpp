#include "model/status.hpp"

#include <gtest/gtest.h>

#include "support/pins.hpp"

namespace ipfscluster {
namespace {

constexpr StatusFilter bit(TrackerStatus status) {
    return static_cast<StatusFilter>(status);
}

TEST(status, every_name_reads_back_with_its_go_number) {
    const std::vector<std::pair<std::uint32_t, std::string>> table{
        {0, "undefined"},   {2, "cluster_error"}, {4, "pin_error"},
        {8, "unpin_error"}, {14, "error"},        {16, "pinned"},
        {32, "pinning"},    {64, "unpinning"},    {128, "unpinned"},
        {256, "remote"},    {512, "pin_queued"},  {1024, "unpin_queued"},
        {1536, "queued"},   {2048, "sharded"},    {4096, "unexpectedly_unpinned"}};
    for (const auto& [number, name] : table) {
        EXPECT_EQ(to_string(static_cast<TrackerStatus>(number)), name);
        ASSERT_TRUE(parse_status(name)) << name;
        EXPECT_EQ(static_cast<std::uint32_t>(*parse_status(name)), number);
    }
    EXPECT_FALSE(parse_status("Pinned"));
    EXPECT_FALSE(parse_status(""));
}

TEST(status_filter, reads_comma_lists) {
    using S = TrackerStatus;
    const std::vector<std::pair<std::string, StatusFilter>> table{
        {"", 0},
        {"pinned", bit(S::pinned)},
        {"pinned,pinning", bit(S::pinned) | bit(S::pinning)},
        {" pinned , pin_error ", bit(S::pinned) | bit(S::pin_error)},
        {"error", bit(S::cluster_error) | bit(S::pin_error) | bit(S::unpin_error)},
        {"queued", bit(S::pin_queued) | bit(S::unpin_queued)},
        {"pinned,nonsense", bit(S::pinned)},
        {",,pinned,", bit(S::pinned)},
    };
    for (const auto& [text, filter] : table) {
        const auto parsed = parse_status_filter(text);
        ASSERT_TRUE(parsed) << text;
        EXPECT_EQ(parsed.value(), filter) << text;
    }
    for (const auto* text : {"nonsense", ",", " ", "Pinned"}) {
        const auto parsed = parse_status_filter(text);
        ASSERT_FALSE(parsed) << text;
        EXPECT_EQ(parsed.error().kind, Kind::invalid);
        EXPECT_NE(parsed.error().text.find(text), std::string::npos);
    }
}

TEST(status_filter, zero_matches_all_and_error_matches_each_kind_of_error) {
    EXPECT_TRUE(matches(TrackerStatus::pinned, 0));
    EXPECT_TRUE(matches(TrackerStatus::pin_error, bit(TrackerStatus::error)));
    EXPECT_TRUE(matches(TrackerStatus::cluster_error, bit(TrackerStatus::error)));
    EXPECT_FALSE(matches(TrackerStatus::pinned, bit(TrackerStatus::error)));
    EXPECT_TRUE(matches(TrackerStatus::undefined, bit(TrackerStatus::pinned)));
}

PinInfo row(int peer, TrackerStatus status, std::string name) {
    PinInfo info;
    info.cid = test::cid(1);
    info.peer = test::peer(peer);
    info.name = std::move(name);
    info.info.status = status;
    return info;
}

TEST(global_pin_info, common_fields_come_from_a_peer_that_has_them) {
    GlobalPinInfo global;
    global.add(row(1, TrackerStatus::cluster_error, ""));
    global.add(row(2, TrackerStatus::pinned, "a name"));
    global.add(row(3, TrackerStatus::cluster_error, ""));
    EXPECT_EQ(global.name, "a name");
    EXPECT_EQ(global.cid, test::cid(1));
    EXPECT_EQ(global.peer_map.size(), 3u);
}

}  // namespace
}  // namespace ipfscluster
