#pragma once
#include <gtest/gtest.h>

#include <algorithm>

#include "sim/raft/sim_cluster.hpp"

namespace ipfscluster::sim {

/// A cluster that founds itself, for tests that go on from there.
class RaftFixture : public testing::Test {
 protected:
    explicit RaftFixture(std::uint64_t seed, raft::RaftOptions options = short_log())
        : cluster(seed, std::move(options)) {}

    /// What is to be set before the founders start.
    virtual void prepare() {}
    void found(int count) {
        cluster.add_founders(count);
        prepare();
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

    bool is_voter(int observer, int number) {
        const auto& log = cluster.peer(observer).raft->log();
        return std::any_of(
            log.members().begin(), log.members().end(), [&](const raft::Member& member) {
                return !member.learner && log.nodes().at(member.id).peer == cluster.peer(number).id;
            });
    }

    SimCluster cluster;
};

}  // namespace ipfscluster::sim
