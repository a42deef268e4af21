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
        cluster.submit_pin(0);
        EXPECT_TRUE(cluster.run_until([&] { return cluster.acknowledged() == 1; }, seconds(60)))
            << seed;
    }
}

}  // namespace
}  // namespace ipfscluster::sim
