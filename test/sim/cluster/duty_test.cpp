// Whose task repair and expiry are where nobody leads, and what a consensus answers that lacks
// something.
#include <gtest/gtest.h>

#include <algorithm>

#include "support/pins.hpp"
#include "support/sim_cluster.hpp"
#include "support/sim_kinds.hpp"

namespace ipfscluster::test {
namespace {

using namespace std::chrono_literals;

/// How long those behind the first in rank wait, as SimPeerOptions has it.
constexpr Duration kDelay = 20s;

struct DutyTest : ::testing::Test {
    DutyTest() {
        cluster.start_all();
        EXPECT_EQ(cluster.settle(), "");
        cluster.world.run_for(5s);
    }
    component::Consensus& consensus(int at) { return cluster.peer(at).life().consensus; }
    ToyConsensus& toy(int at) { return dynamic_cast<ToyConsensus&>(consensus(at)); }
    void pin_items(int count, int replicas, Time expire_at = kTimeUnset) {
        for (int i = 0; i < count; ++i) {
            Pin wish;
            wish.cid = cid(i);
            wish.options.replication_min = wish.options.replication_max = replicas;
            wish.options.expire_at = expire_at;
            auto& api = cluster.peer(0).life().cluster;
            auto pinned = cluster.await<Pin>(0, api.pin(std::move(wish)));
            ASSERT_TRUE(pinned) << pinned.error().text;
        }
        cluster.world.run_for(2s);
    }
    std::optional<Pin> pin_of(int at, int item) {
        const auto row = cluster.peer(at).life().state.get(cid(item));
        if (!row || !row.value()) return std::nullopt;
        return row.value()->pin;
    }
    SimCluster cluster{1, 4, options_with(SimKind::toy)};
};

TEST_F(DutyTest, each_cid_has_one_first_and_the_others_behind_it) {
    std::set<int> firsts;
    for (int item = 0; item < 40; ++item) {
        std::set<std::size_t> ranks;
        for (int at = 0; at < 4; ++at) {
            const auto rank = consensus(at).rank(cid(item));
            ASSERT_TRUE(rank);
            ranks.insert(*rank);
            if (*rank == 0) firsts.insert(at);
        }
        EXPECT_EQ(ranks, (std::set<std::size_t>{0, 1, 2, 3})) << item;
    }
    EXPECT_EQ(firsts.size(), 4u) << "the work is spread";
}

TEST_F(DutyTest, what_the_first_leaves_to_expire_the_next_one_removes_after_the_delay) {
    std::set<int> idle_first;
    for (int item = 0; item < 20; ++item)
        if (consensus(1).rank(cid(item)) == 0u) idle_first.insert(item);
    ASSERT_FALSE(idle_first.empty());
    ASSERT_LT(idle_first.size(), 20u);
    toy(1).idle = true;
    pin_items(20, -1, cluster.world.system_now() + 10s);
    cluster.world.run_for(15s);
    for (int item = 0; item < 20; ++item)
        EXPECT_EQ(pin_of(2, item).has_value(), idle_first.contains(item)) << item;
    cluster.world.run_for(kDelay);
    for (int item = 0; item < 20; ++item) EXPECT_FALSE(pin_of(2, item)) << item;
    EXPECT_EQ(cluster.count(SimCluster::Outcome::pending), 0u);
}

TEST_F(DutyTest, what_the_first_leaves_unrepaired_the_next_one_repairs_after_the_delay) {
    ASSERT_NO_FATAL_FAILURE(pin_items(24, 2));
    const auto dead_id = cluster.peer(3).id;
    cluster.peer(3).crash();
    // Ranks are those among the living.
    cluster.world.run_for(3s);
    std::set<int> idle_first;
    for (int item = 0; item < 24; ++item)
        if (pin_of(0, item)->allocated_to(dead_id) && consensus(1).rank(cid(item)) == 0u)
            idle_first.insert(item);
    ASSERT_FALSE(idle_first.empty());
    toy(1).idle = true;
    cluster.world.run_for(10s);
    for (int item = 0; item < 24; ++item)
        EXPECT_EQ(pin_of(0, item)->allocated_to(dead_id), idle_first.contains(item)) << item;
    cluster.world.run_for(kDelay + 20s);
    for (int item = 0; item < 24; ++item) {
        EXPECT_FALSE(pin_of(0, item)->allocated_to(dead_id)) << item;
        EXPECT_EQ(pin_of(0, item)->allocations.size(), 2u) << item;
    }
}

TEST_F(DutyTest, two_that_repair_at_once_leave_one_set_of_holders) {
    ASSERT_NO_FATAL_FAILURE(pin_items(24, 2));
    const auto dead_id = cluster.peer(3).id;
    for (int at = 0; at < 3; ++at) toy(at).always_first = true;
    cluster.peer(3).crash();
    cluster.world.run_for(20s);
    for (int item = 0; item < 24; ++item) {
        const auto pin = pin_of(0, item);
        ASSERT_TRUE(pin);
        EXPECT_FALSE(pin->allocated_to(dead_id)) << item;
        EXPECT_EQ(pin->allocations.size(), 2u) << item;
        for (int at = 1; at < 3; ++at) EXPECT_EQ(pin_of(at, item), pin) << item;
    }
    for (int item = 0; item < 24; ++item)
        for (int at = 0; at < 3; ++at)
            EXPECT_EQ(cluster.peer(at).ipfs.held.contains(cid(item)),
                      pin_of(0, item)->allocated_to(cluster.peer(at).id))
                << item << " at " << at;
}

TEST_F(DutyTest,
       a_holder_of_which_nothing_is_known_is_shown_and_counts_as_dead_after_the_grace_time) {
    const auto stranger = peer(77);
    PinOperation operation;
    operation.pin = pin_on(cid(1), {cluster.peer(1).id, stranger});
    ASSERT_TRUE(cluster.await<component::CommitResult>(0, consensus(0).commit(operation)));
    EXPECT_EQ(consensus(0).standing(stranger), component::Standing::unknown);
    cluster.world.run_for(2s);
    const auto status =
        cluster.await<GlobalPinInfo>(2, cluster.peer(2).life().cluster.status(cid(1)));
    ASSERT_TRUE(status);
    ASSERT_TRUE(status.value().peer_map.contains(stranger));
    EXPECT_EQ(status.value().peer_map.at(stranger).status, TrackerStatus::cluster_error);
    // Walks begin when peers come and go.
    cluster.peer(3).crash();
    cluster.world.run_for(3s);
    cluster.start(3);
    cluster.world.run_for(2s);
    EXPECT_TRUE(pin_of(0, 1)->allocated_to(stranger)) << "it may be about to show up";
    cluster.world.run_for(30s);
    const auto moved = pin_of(0, 1);
    EXPECT_FALSE(moved->allocated_to(stranger));
    EXPECT_TRUE(moved->allocated_to(cluster.peer(1).id));
    EXPECT_EQ(moved->allocations.size(), 2u);
}

TEST_F(DutyTest, what_this_kind_lacks_is_said) {
    auto& api = cluster.peer(0).life().cluster;
    const auto other = cluster.peer(1).id;
    const auto removed = cluster.await<component::Removal>(0, api.peer_remove(other, true));
    ASSERT_FALSE(removed);
    EXPECT_EQ(removed.error().kind, Kind::unsupported) << removed.error().text;
    const auto trusted = cluster.await<void>(0, consensus(0).trust(other));
    ASSERT_FALSE(trusted);
    EXPECT_EQ(trusted.error().kind, Kind::unsupported);
    const auto told = cluster.await<void>(
        0, consensus(0).set_cordon(other, {.kind = component::Cordon::Kind::cordoned}));
    ASSERT_FALSE(told);
    EXPECT_EQ(told.error().kind, Kind::unsupported);
    EXPECT_FALSE(consensus(0).strong_reads());
    EXPECT_FALSE(consensus(0).removed());
}

TEST_F(DutyTest, a_peer_that_has_not_heard_everything_does_not_say_that_a_pin_is_absent) {
    ASSERT_NO_FATAL_FAILURE(pin_items(1, -1));
    cluster.peer(2).crash_and_wipe();
    ASSERT_TRUE(cluster.world.run_until([&] { return cluster.peer(2).stopped(); }, 1min));
    cluster.start(2);
    ASSERT_TRUE(cluster.world.run_until([&] { return cluster.peer(2).up(); }, 1min));
    auto& api = cluster.peer(2).life().cluster;
    const auto early = cluster.await<Pin>(2, api.unpin(cid(0)));
    ASSERT_FALSE(early);
    EXPECT_EQ(early.error().kind, Kind::unavailable) << early.error().text;
    cluster.world.run_for(5s);
    EXPECT_TRUE(cluster.await<Pin>(2, api.unpin(cid(0))));
}

}  // namespace
}  // namespace ipfscluster::test
