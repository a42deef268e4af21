#include "allocator/balanced_allocator.hpp"

#include <gtest/gtest.h>

#include "multi/key_pair.hpp"

namespace ipfscluster::allocator {
namespace {

/// Peers in id order, so that expectations can name them by number.
std::vector<PeerId> make_peers(std::size_t count) {
    std::vector<PeerId> peers;
    for (std::size_t i = 0; i < count; ++i)
        peers.push_back(ed25519_from_seed(Bytes(32, static_cast<char>(i + 1))).id);
    std::sort(peers.begin(), peers.end());
    return peers;
}

struct Node {
    std::string group;
    std::int64_t free;
    bool valid = true;
};

struct Case {
    std::string name;
    std::vector<Node> nodes;
    int min, max;
    std::vector<int> current, priority, blacklist;
    std::vector<int> expect;  ///< empty with `error` set: fails
    std::string error;
};

class BalancedAllocatorTable : public ::testing::TestWithParam<Case> {};

TEST_P(BalancedAllocatorTable, chooses) {
    const Case& c = GetParam();
    const auto peers = make_peers(c.nodes.size());
    component::AllocationRequest request;
    request.replication_min = c.min;
    request.replication_max = c.max;
    for (int i : c.current) request.current.push_back(peers[static_cast<std::size_t>(i)]);
    for (int i : c.priority) request.priority.push_back(peers[static_cast<std::size_t>(i)]);
    for (int i : c.blacklist) request.blacklist.push_back(peers[static_cast<std::size_t>(i)]);
    for (std::size_t i = 0; i < peers.size(); ++i) {
        const auto& n = c.nodes[i];
        request.metrics["tag:group"].push_back({.name = "tag:group",
                                                .peer = peers[i],
                                                .value = n.group,
                                                .valid = true,
                                                .partitionable = true});
        request.metrics["freespace"].push_back({.name = "freespace",
                                                .peer = peers[i],
                                                .value = std::to_string(n.free),
                                                .valid = n.valid,
                                                .weight = n.free});
    }
    const BalancedAllocator allocator({"tag:group", "freespace"});
    const auto chosen = allocator.allocate(request);
    if (!c.error.empty()) {
        ASSERT_FALSE(chosen);
        EXPECT_NE(chosen.error().text.find(c.error), std::string::npos) << chosen.error().text;
        return;
    }
    ASSERT_TRUE(chosen) << chosen.error().text;
    std::vector<int> got;
    for (const auto& peer : chosen.value())
        got.push_back(
            static_cast<int>(std::find(peers.begin(), peers.end(), peer) - peers.begin()));
    EXPECT_EQ(got, c.expect);
}

INSTANTIATE_TEST_SUITE_P(
    tables, BalancedAllocatorTable,
    ::testing::Values(
        Case{"everywhere_is_empty", {{"a", 1}, {"a", 2}}, -1, -1, {}, {}, {}, {}, ""},
        Case{"most_free_first", {{"a", 10}, {"a", 30}, {"a", 20}}, 1, 2, {}, {}, {}, {1, 2}, ""},
        Case{"two_groups_share_before_one_repeats",
             {{"a", 90}, {"a", 80}, {"b", 5}, {"b", 3}},
             2,
             3,
             {},
             {},
             {},
             {0, 2, 1},
             ""},
        Case{"heavier_group_starts", {{"a", 10}, {"b", 20}}, 1, 1, {}, {}, {}, {1}, ""},
        Case{"users_wish_comes_first",
             {{"a", 10}, {"a", 30}, {"a", 20}},
             1,
             2,
             {},
             {0},
             {},
             {0, 1},
             ""},
        Case{"holders_are_kept", {{"a", 10}, {"a", 30}, {"a", 20}}, 2, 2, {0}, {}, {}, {0, 1}, ""},
        Case{"enough_holders_change_nothing",
             {{"a", 10}, {"a", 30}, {"a", 20}},
             1,
             3,
             {0},
             {},
             {},
             {0},
             ""},
        Case{"a_full_peer_is_given_nothing",
             {{"a", 10}, {"a", 0}, {"a", 20}},
             1,
             3,
             {},
             {1},
             {},
             {2, 0},
             ""},
        Case{"a_full_peer_goes_on_holding",
             {{"a", 10}, {"a", 0}, {"a", 20}},
             2,
             2,
             {1},
             {},
             {},
             {1, 2},
             ""},
        Case{"surplus_is_dropped_lightest_first",
             {{"a", 10}, {"a", 30}, {"a", 20}},
             1,
             2,
             {0, 1, 2},
             {},
             {},
             {1, 2},
             ""},
        Case{"blacklisted_holder_does_not_count",
             {{"a", 10}, {"a", 30}, {"a", 20}},
             2,
             2,
             {0, 1},
             {},
             {1},
             {0, 2},
             ""},
        Case{"invalid_metric_is_no_candidate",
             {{"a", 10}, {"a", 30, false}},
             1,
             2,
             {},
             {},
             {},
             {0},
             ""},
        Case{"too_few_peers",
             {{"a", 10}, {"a", 30, false}},
             2,
             2,
             {},
             {},
             {},
             {},
             "Needed at least: 2. Wanted at most: 2. Available candidates: 1"}),
    [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace ipfscluster::allocator
