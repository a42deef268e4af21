#pragma once
#include <gtest/gtest.h>

#include "sim/raft/sim_cluster.hpp"

namespace ipfscluster::sim {

/// A cluster that founds itself, for tests that go on from there.
class RaftFixture : public testing::Test {
 protected:
    explicit RaftFixture(std::uint64_t seed) : cluster(seed, short_log()) {}

    void found(int count) {
        cluster.add_founders(count);
        cluster.start_all();
        ASSERT_TRUE(cluster.run_until([&] { return cluster.leader() >= 0; }));
    }
    void commit(int number, int count) {
        for (int i = 0; i < count; ++i) {
            cluster.submit_pin(number);
            ASSERT_TRUE(cluster.run_until([&] { return cluster.pending() == 0; }));
        }
    }
    int follower() {
        for (int number = 0;; ++number)
            if (number != cluster.leader() && cluster.peer(number).up) return number;
    }

    SimCluster cluster;
};

}  // namespace ipfscluster::sim
