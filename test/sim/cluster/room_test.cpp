// What becomes of pins whose holder has no room for them.
#include <gtest/gtest.h>

#include <algorithm>

#include "support/pins.hpp"
#include "support/sim_cluster.hpp"

namespace ipfscluster::test {
namespace {

using namespace std::chrono_literals;

struct RoomTest : ::testing::Test {
    static SimPeerOptions options() {
        SimPeerOptions out;
        out.cluster.repin_grace = 10s;
        return out;
    }
    RoomTest() : cluster(1, 4, options()) {
        cluster.start_all();
        EXPECT_EQ(cluster.settle(), "");
    }
    void fill_disk(int number) {
        cluster.peer(number).ipfs.fault_drawn = [] {
            return Error{Kind::disk_full, "no space left on device"};
        };
    }
    /// Pins `count` items; all are acknowledged afterwards.
    void pin_items(int count, int min, int max) {
        const auto before = cluster.count(SimCluster::Outcome::acknowledged);
        for (int i = 0; i < count; ++i) cluster.submit_pin(0, cid(i), min, max);
        const auto wanted = before + static_cast<std::size_t>(count);
        ASSERT_TRUE(cluster.world.run_until(
            [&] { return cluster.count(SimCluster::Outcome::acknowledged) == wanted; }, 20s));
    }
    int given_to(int number) {
        auto rows = cluster.collect<state::StoredPin>(0, cluster.peer(0).life().state.list());
        if (!rows) return -1;
        return static_cast<int>(std::count_if(
            rows.value().begin(), rows.value().end(),
            [&](const auto& row) { return row.pin.allocated_to(cluster.peer(number).id); }));
    }
    std::size_t alerts(int number) {
        const auto all = cluster.peer(number).life().monitor.alerts();
        return static_cast<std::size_t>(
            std::count_if(all.begin(), all.end(),
                          [](const Alert& alert) { return alert.metric.name == "room"; }));
    }
    SimCluster cluster;
};

TEST_F(RoomTest, what_a_full_peer_could_not_store_moves_after_the_grace_time) {
    fill_disk(1);
    ASSERT_NO_FATAL_FAILURE(pin_items(24, 2, 2));
    const int at_first = given_to(1);
    ASSERT_GT(at_first, 0);
    cluster.world.run_for(8s);
    EXPECT_EQ(given_to(1), at_first) << "not before the grace time";
    for (int i = 0; i < 60 && given_to(1) > 0; ++i) cluster.world.run_for(1s);
    EXPECT_EQ(given_to(1), 0);
    EXPECT_EQ(alerts(1), 0u);
    cluster.peer(1).ipfs.fault_drawn = nullptr;
    EXPECT_EQ(cluster.settle(), "");
}

TEST_F(RoomTest, what_it_holds_stays_and_what_has_its_minimum_elsewhere_too) {
    ASSERT_NO_FATAL_FAILURE(pin_items(24, 2, 2));
    ASSERT_EQ(cluster.settle(), "");
    const int held = given_to(1);
    ASSERT_GT(held, 0);
    fill_disk(1);
    for (int i = 100; i < 124; ++i) cluster.submit_pin(0, cid(i), 1, 2);
    cluster.world.run_for(120s);
    EXPECT_GT(given_to(1), held) << "these have their one holder without it";
}

TEST_F(RoomTest, where_nobody_has_room_it_stays_and_is_told_once) {
    fill_disk(1);
    for (int other : {0, 2, 3}) {
        auto& repo = cluster.peer(other).ipfs.repo;
        repo.repo_size = repo.storage_max;
    }
    cluster.world.run_for(10s);  // until their metrics say so
    ASSERT_NO_FATAL_FAILURE(pin_items(5, 1, 1));
    EXPECT_EQ(given_to(1), 5);
    cluster.world.run_for(120s);
    EXPECT_EQ(given_to(1), 5);
    EXPECT_EQ(alerts(1), 1u);
}

}  // namespace
}  // namespace ipfscluster::test
