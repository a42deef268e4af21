#include <gtest/gtest.h>

#include "sim/raft/sim_cluster.hpp"

namespace ipfscluster::sim {
namespace {

using std::chrono::seconds;

TEST(raft_cluster, three_founders_elect_a_leader_and_commit_at_every_peer) {
    SimCluster cluster(1);
    cluster.add_founders(3);
    cluster.start_all();
    ASSERT_TRUE(cluster.run_until([&] { return cluster.leader() >= 0; }));
    for (int i = 0; i < 30; ++i) cluster.submit_pin(i % 3);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.pending() == 0; }));
    EXPECT_EQ(cluster.acknowledged(), 30u);
    ASSERT_EQ(cluster.settle(), "");
    EXPECT_EQ(cluster.check_agreement(), "");
}

TEST(raft_cluster, a_restarted_cluster_has_everything_it_acknowledged) {
    SimCluster cluster(2);
    cluster.add_founders(3);
    cluster.start_all();
    ASSERT_TRUE(cluster.run_until([&] { return cluster.leader() >= 0; }));
    for (int i = 0; i < 30; ++i) cluster.submit_pin(i % 3);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.pending() == 0; }));
    for (int i = 0; i < 3; ++i) cluster.crash(i);
    ASSERT_EQ(cluster.settle(), "");
    EXPECT_EQ(cluster.acknowledged(), 30u);
    EXPECT_EQ(cluster.check_agreement(), "");
}

TEST(raft_cluster, disks_slower_than_an_election_timeout_still_elect_a_leader) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        SimCluster cluster(seed);
        // Each vote takes a sync of the candidate's disk and then one of the voter's.
        cluster.world.set_blocking_delay(std::chrono::milliseconds(2200),
                                         std::chrono::milliseconds(2500));
        cluster.add_founders(3);
        cluster.start_all();
        EXPECT_TRUE(cluster.run_until([&] { return cluster.leader() >= 0; }, seconds(120))) << seed;
        // A pin in the middle of an election may be refused.
        for (int i = 0; i < 5 && cluster.acknowledged() == 0; ++i) {
            cluster.submit_pin(0);
            EXPECT_TRUE(cluster.run_until([&] { return cluster.pending() == 0; }, seconds(60)))
                << seed;
        }
        EXPECT_GT(cluster.acknowledged(), 0u) << seed;
    }
}

TEST(raft_cluster, a_follower_far_behind_is_sent_its_part_of_the_log_once) {
    SimCluster cluster(4);
    cluster.add_founders(3);
    cluster.start_all();
    ASSERT_TRUE(cluster.run_until([&] { return cluster.leader() >= 0; }));
    const int lead = cluster.leader();
    const int late = (lead + 1) % 3;
    cluster.crash(late);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.is_down(late); }));
    constexpr std::uint64_t kEntries = 300;
    constexpr std::uint64_t kEntryBytes = 200'000;
    for (std::uint64_t i = 0; i < kEntries; ++i) {
        cluster.submit_pin(lead, kEntryBytes);
        ASSERT_TRUE(cluster.run_until([&] { return cluster.pending() == 0; }));
    }
    ASSERT_EQ(cluster.acknowledged(), kEntries);
    cluster.network.set_delay(std::chrono::milliseconds(20), std::chrono::milliseconds(20));
    cluster.network.set_bandwidth(5'000'000);
    const auto& raft = *cluster.peer(lead).raft;
    const auto before = raft.status().given_bytes;
    cluster.start(late);
    ASSERT_TRUE(cluster.run_until(
        [&] {
            return cluster.peer(late).raft->log().applied().index == raft.log().applied().index;
        },
        seconds(120)));
    EXPECT_EQ(cluster.leader(), lead);
    EXPECT_LE(raft.status().given_bytes - before, kEntries * kEntryBytes * 3 / 2);
    ASSERT_EQ(cluster.settle(), "");
    EXPECT_EQ(cluster.check_agreement(), "");
}

TEST(raft_cluster, a_log_of_few_large_entries_is_compacted_by_its_bytes) {
    raft::RaftOptions options;
    options.log_bytes_max = 20 * 1024 * 1024;
    SimCluster cluster(6, options);
    cluster.add_founders(1);
    cluster.start(0);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.leader() >= 0; }));
    const auto commit = [&](int count) {
        for (int i = 0; i < count; ++i) {
            cluster.submit_pin(0, 200'000);
            ASSERT_TRUE(cluster.run_until([&] { return cluster.pending() == 0; }));
            ASSERT_LE(cluster.peer(0).raft->log().bytes().total(), options.log_bytes_max + 400'000);
        }
    };
    commit(200);
    const auto& raft = *cluster.peer(0).raft;
    EXPECT_GT(raft.log().compacted().index, 50u);
    EXPECT_GE(raft.log().bytes().total(), options.log_bytes_max / 2 - 2 * 1024 * 1024)
        << "half of it is kept for those who come late";
    // Counted again from the disk.
    const auto before = raft.log().bytes().total();
    cluster.stop(0);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.is_down(0); }));
    cluster.start(0);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.leader() >= 0; }));
    const auto& again = cluster.peer(0).raft->log();
    EXPECT_GE(again.bytes().total(), before);
    EXPECT_LE(again.bytes().total(), before + 1000);
    commit(100);
    EXPECT_EQ(cluster.settle(), "");
    EXPECT_EQ(cluster.check_agreement(), "");
}

}  // namespace
}  // namespace ipfscluster::sim
