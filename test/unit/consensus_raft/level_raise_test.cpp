#include "consensus/raft/level_raise.hpp"

#include <gtest/gtest.h>

#include "consensus/raft/cluster_facts.hpp"
#include "state/state.hpp"

namespace ipfscluster::raft {
namespace {

TEST(raft_level_raise, what_all_announce_is_due_once_in_a_term) {
    LevelRaise raise;
    EXPECT_EQ(raise.due(0, 5, {{1, 2}, {2, 1}, {3, 3}}), 1u) << "what all of them know";
    EXPECT_EQ(raise.due(0, 5, {{1, 2}, {2, 2}}), 2u);
    EXPECT_FALSE(raise.due(2, 5, {{1, 2}, {2, 2}}));
    raise.proposed(2, 5);
    EXPECT_FALSE(raise.due(0, 5, {{1, 2}, {2, 2}})) << "it is in the log";
    EXPECT_EQ(raise.due(0, 6, {{1, 2}, {2, 2}}), 2u) << "of another leader's log nobody knows";
    EXPECT_EQ(raise.due(0, 5, {{1, 3}, {2, 3}}), 3u);
}

TEST(raft_level_raise, who_has_announced_nothing_keeps_it) {
    const LevelRaise raise;
    EXPECT_FALSE(raise.due(0, 5, {{1, 2}, {2, std::nullopt}}));
    EXPECT_FALSE(raise.due(0, 5, {{1, 2}, {2, 0}}));
    EXPECT_FALSE(raise.due(0, 5, {}));
}

TEST(raft_level_raise, newcomers_have_to_know_what_is_under_way) {
    LevelRaise raise;
    EXPECT_EQ(raise.demanded(1, 5), 1u);
    raise.proposed(2, 5);
    EXPECT_EQ(raise.demanded(1, 5), 2u);
    EXPECT_EQ(raise.demanded(3, 5), 3u);
    EXPECT_EQ(raise.demanded(1, 6), 1u);
}

TEST(raft_level_raise, its_entry_needs_the_level_itself) {
    const auto bytes = level_entry(7);
    EXPECT_EQ(state::decode_operations(bytes, 6).error().kind, Kind::unsupported);
    const auto operations = state::decode_operations(bytes, 7);
    ASSERT_TRUE(operations) << operations.error().text;
    ASSERT_EQ(operations.value().size(), 1u);
    EXPECT_EQ(operations.value()[0].fact, state::FactKind::feature_level);
    EXPECT_EQ(decode_level_fact(operations.value()[0].payload).value(), 7u);
    EXPECT_FALSE(decode_level_fact("123"));
}

}  // namespace
}  // namespace ipfscluster::raft
