// Who counts as dead, and what happens to the pins of those that do not.
#include <gtest/gtest.h>

#include <algorithm>

#include "support/pins.hpp"
#include "support/sim_cluster.hpp"

namespace ipfscluster::test {
namespace {

using namespace std::chrono_literals;

struct DeathTest : ::testing::Test {
    void start(int peers) {
        SimPeerOptions options;
        options.cluster.repin_grace = 10s;
        cluster = std::make_unique<SimCluster>(1, peers, std::move(options));
        cluster->start_all();
        ASSERT_EQ(cluster->settle(), "");
    }
    void pin_items(int count, int replicas) {
        for (int i = 0; i < count; ++i)
            cluster->submit_pin(i % cluster->size(), cid(i), replicas, replicas);
        ASSERT_EQ(cluster->settle(), "");
    }
    /// Allocations of every pin as `at` sees them.
    std::map<Cid, std::vector<PeerId>> allocations(int at) {
        std::map<Cid, std::vector<PeerId>> out;
        auto rows =
            cluster->collect<state::StoredPin>(at, cluster->peer(at).life().state.list());
        EXPECT_TRUE(rows);
        if (!rows) return out;
        for (const auto& row : rows.value()) out[row.pin.cid] = row.pin.allocations;
        return out;
    }
    std::size_t held_by(int at, const PeerId& peer) {
        std::size_t count = 0;
        for (const auto& [cid, holders] : allocations(at))
            count += std::count(holders.begin(), holders.end(), peer) > 0;
        return count;
    }
    bool alive(int at, int other) {
        return cluster->peer(at).life().monitor.alive(cluster->peer(other).id);
    }
    void run(Duration span) { cluster->world.run_for(span); }
    std::unique_ptr<SimCluster> cluster;
};

TEST_F(DeathTest, a_peer_whose_disk_hangs_stops_pinging_until_it_answers) {
    ASSERT_NO_FATAL_FAILURE(start(4));
    ASSERT_NO_FATAL_FAILURE(pin_items(12, 2));
    const int hung = (cluster->leader() + 1) % 4;
    const int witness = (hung + 1) % 4;
    const auto hung_id = cluster->peer(hung).id;
    ASSERT_GT(held_by(witness, hung_id), 0u);
    run(1min);
    EXPECT_TRUE(alive(witness, hung)) << "nobody writes, and the disk is well";
    cluster->peer(hung).life().store.hang(true);
    run(20s);
    EXPECT_TRUE(alive(witness, hung)) << "disks are slow at times";
    run(25s);
    EXPECT_FALSE(alive(witness, hung));
    run(40s);
    EXPECT_EQ(held_by(witness, hung_id), 0u) << "others hold its pins now";
    cluster->peer(hung).life().store.hang(false);
    run(5s);
    EXPECT_TRUE(alive(witness, hung));
    EXPECT_EQ(cluster->settle(), "");
}

}  // namespace
}  // namespace ipfscluster::test
