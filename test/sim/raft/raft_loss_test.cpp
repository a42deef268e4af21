// Peers whose disk gives back less than was synced, or something else.
#include <gtest/gtest.h>

#include <algorithm>

#include "consensus/raft/loss.hpp"
#include "sim/raft/raft_fixture.hpp"

namespace ipfscluster::sim {
namespace {

using std::chrono::seconds;
using storage::Family;

class RaftLoss : public RaftFixture {
 protected:
    RaftLoss() : RaftFixture(11, {}) {}
    void prepare() override {
        cluster.expect_losses();
        for (int number = 0; number < cluster.size(); ++number)
            cluster.peer(number).disk->keep_synced(1000);
    }
    void commit(int number, int count) {
        RaftFixture::commit(number, count);
        // The floor follows within a second.
        cluster.world.run_for(seconds(3));
    }
    void crash(std::vector<int> numbers) {
        for (const int number : numbers) cluster.crash(number);
        ASSERT_TRUE(cluster.run_until([&] {
            return std::all_of(numbers.begin(), numbers.end(),
                               [&](int number) { return cluster.is_down(number); });
        }));
    }
    /// Starts it and gives what it says is lost.
    std::string start(int number) {
        cluster.start(number);
        cluster.run_until(
            [&] {
                return runs(number) || !cluster.peer(number).raft->loss().empty() ||
                       !cluster.peer(number).up;
            },
            seconds(5));
        return cluster.peer(number).raft->loss();
    }
    bool runs(int number) { return cluster.peer(number).raft->status().running; }
    bool others_are_intact(int number) {
        std::vector<PeerId> others;
        for (const auto& [id, record] : cluster.peer(number).raft->log().nodes())
            others.push_back(record.peer);
        const auto intact = cluster.await<bool>(raft::quorum_is_intact(
            cluster.world, *cluster.peer(number).host, std::move(others), seconds(10)));
        EXPECT_TRUE(intact) << intact.error().text;
        return intact && intact.value();
    }
};

TEST_F(RaftLoss, one_peer_that_lost_its_tail_comes_back_as_somebody_new) {
    found(3);
    const int lost = follower();
    commit(cluster.leader(), 20);
    const auto old = cluster.peer(lost).raft->status().engine.id;
    crash({lost});
    ASSERT_EQ(cluster.peer(lost).disk->lose_synced(5), 5u);
    EXPECT_NE(start(lost).find("synced data is missing"), std::string::npos);
    cluster.world.run_for(seconds(30));
    EXPECT_FALSE(runs(lost)) << "under its old id it says nothing more";
    ASSERT_TRUE(others_are_intact(lost));
    cluster.crash_and_wipe(lost);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.is_down(lost); }));
    EXPECT_EQ(start(lost), "");
    ASSERT_TRUE(cluster.run_until([&] { return cluster.peer(lost).raft->status().engine.voter; }));
    EXPECT_NE(cluster.peer(lost).raft->status().engine.id, old);
    ASSERT_EQ(cluster.settle(), "");
    EXPECT_TRUE(cluster.peer(cluster.leader()).raft->log().nodes().at(old).removed);
    EXPECT_EQ(cluster.check_agreement(), "");
    EXPECT_EQ(cluster.acknowledged(), 20u);
}

TEST_F(RaftLoss, a_restart_after_a_crash_is_no_loss) {
    found(3);
    for (int round = 0; round < 20; ++round) {
        const int victim = round % 3;
        for (int i = 0; i < 3; ++i) cluster.submit_pin((victim + 1) % 3);
        cluster.world.run_for(std::chrono::milliseconds(70 * round));
        crash({victim});
        ASSERT_EQ(start(victim), "") << round;
    }
    ASSERT_EQ(cluster.settle(), "");
    EXPECT_EQ(cluster.check_agreement(), "");
}

TEST_F(RaftLoss, all_lose_their_tail_at_once_and_stop_until_it_is_accepted) {
    found(3);
    commit(cluster.leader(), 20);
    crash({0, 1, 2});
    for (int number : {0, 1, 2}) {
        ASSERT_EQ(cluster.peer(number).disk->lose_synced(4), 4u);
        EXPECT_NE(start(number), "");
    }
    for (int number : {0, 1, 2}) EXPECT_FALSE(others_are_intact(number));
    EXPECT_EQ(cluster.leader(), -1);
    crash({0, 1, 2});
    for (int number : {0, 1, 2}) {
        ASSERT_TRUE(cluster.peer(number).floor->remove());
        EXPECT_EQ(start(number), "");
    }
    ASSERT_TRUE(cluster.run_until([&] { return cluster.leader() >= 0; }));
    const auto before = cluster.acknowledged();
    commit(cluster.leader(), 3);
    EXPECT_EQ(cluster.acknowledged(), before + 3);
    ASSERT_EQ(cluster.problems(), "");
}

TEST_F(RaftLoss, one_of_two_stops_since_the_other_cannot_take_it_in) {
    found(2);
    commit(cluster.leader(), 10);
    const int lost = follower();
    crash({lost});
    ASSERT_EQ(cluster.peer(lost).disk->lose_synced(8), 8u);
    EXPECT_NE(start(lost), "");
    EXPECT_FALSE(others_are_intact(lost));
    crash({lost});
    ASSERT_TRUE(cluster.peer(lost).floor->remove());
    EXPECT_EQ(start(lost), "");
    ASSERT_EQ(cluster.settle(), "");
    EXPECT_EQ(cluster.check_agreement(), "");
    EXPECT_EQ(cluster.acknowledged(), 10u);
}

TEST_F(RaftLoss, who_kept_what_the_others_gave_up_notices) {
    // With and without entries of the others in the place of what they lost.
    for (const int later : {0, 20}) {
        SCOPED_TRACE(later);
        SimCluster other(static_cast<std::uint64_t>(20 + later));
        other.add_founders(3);
        other.expect_losses();
        for (int number : {0, 1, 2}) other.peer(number).disk->keep_synced(1000);
        other.start_all();
        ASSERT_TRUE(other.run_until([&] { return other.leader() >= 0; }));
        for (int i = 0; i < 20; ++i) {
            other.submit_pin(other.leader());
            ASSERT_TRUE(other.run_until([&] { return other.pending() == 0; }));
        }
        other.world.run_for(seconds(3));
        for (int number : {0, 1, 2}) other.crash(number);
        ASSERT_TRUE(other.run_until(
            [&] { return other.is_down(0) && other.is_down(1) && other.is_down(2); }));
        for (int number : {0, 1, 2}) ASSERT_TRUE(other.peer(number).floor->remove());
        for (int number : {0, 1}) {
            ASSERT_GT(other.peer(number).disk->lose_synced(20), 10u);
            other.start(number);
        }
        ASSERT_TRUE(other.run_until([&] { return other.leader() >= 0; }));
        for (int i = 0; i < later; ++i) other.submit_pin(other.leader());
        other.world.run_for(seconds(2));
        other.start(2);
        EXPECT_TRUE(
            other.run_until([&] { return !other.peer(2).raft->loss().empty(); }, seconds(30)));
        EXPECT_GE(other.leader(), 0);
    }
}

TEST_F(RaftLoss, a_database_that_is_gone_beside_its_floor_founds_nothing) {
    found(1);
    commit(0, 3);
    crash({0});
    cluster.peer(0).disk = std::make_shared<storage::MemoryDisk>();
    EXPECT_NE(start(0).find("synced data is missing"), std::string::npos);
    cluster.world.run_for(seconds(30));
    EXPECT_FALSE(runs(0));
    EXPECT_FALSE(others_are_intact(0)) << "there are none";
}

TEST_F(RaftLoss, without_a_floor_nothing_is_known) {
    found(1);
    commit(0, 3);
    crash({0});
    ASSERT_EQ(cluster.peer(0).disk->lose_synced(2), 2u);
    ASSERT_TRUE(cluster.peer(0).floor->remove());
    EXPECT_EQ(start(0), "");
    ASSERT_TRUE(cluster.run_until([&] { return cluster.leader() == 0; }));
}

TEST_F(RaftLoss, without_a_floor_the_leader_notices) {
    found(3);
    for (int round = 0; round < 3; ++round) {
        const int lead = cluster.leader();
        const int lost = follower();
        commit(lead, 10);
        crash({lost});
        ASSERT_EQ(cluster.peer(lost).disk->lose_synced(6), 6u);
        ASSERT_TRUE(cluster.peer(lost).floor->remove());
        cluster.start(lost);
        ASSERT_TRUE(
            cluster.run_until([&] { return !cluster.peer(lost).raft->loss().empty(); }, seconds(5)))
            << round;
        EXPECT_NE(cluster.peer(lost).raft->loss().find("acknowledged"), std::string::npos)
            << cluster.peer(lost).raft->loss();
        ASSERT_EQ(cluster.leader(), lead);
        cluster.stop(lost);
        ASSERT_TRUE(cluster.run_until([&] { return cluster.is_down(lost); }));
        EXPECT_NE(start(lost), "") << "it is noted for the next start";
        ASSERT_TRUE(others_are_intact(lost));
        cluster.crash_and_wipe(lost);
        cluster.peer(lost).disk->keep_synced(1000);
        ASSERT_TRUE(cluster.run_until([&] { return cluster.is_down(lost); }));
        cluster.start(lost);
        ASSERT_TRUE(
            cluster.run_until([&] { return cluster.peer(lost).raft->status().engine.voter; }));
        ASSERT_EQ(cluster.settle(), "");
    }
    EXPECT_EQ(cluster.check_agreement(), "");
    EXPECT_EQ(cluster.acknowledged(), 30u);
}

TEST_F(RaftLoss, a_damaged_entry_is_noticed_for_good) {
    found(3);
    const int hurt = follower();
    commit(cluster.leader(), 10);
    crash({hurt});
    // Those that the next life reads: behind what it knows to be applied.
    auto& disk = *cluster.peer(hurt).disk;
    storage::Batch batch;
    for (std::uint64_t index = 2; index < 40; ++index) {
        Bytes key;
        put_be64(key, index);
        if (disk.get(Family::raft_log, key, disk.sequence())) batch.put(Family::raft_log, key, "x");
    }
    ASSERT_FALSE(batch.empty());
    disk.apply(batch);
    disk.mark_synced(disk.sequence());
    cluster.start(hurt);
    // Any of them is needed as soon as it leads or another one asks where the logs part.
    cluster.run_until([&] { return !cluster.peer(hurt).raft->loss().empty(); }, seconds(30));
    ASSERT_NE(cluster.peer(hurt).raft->loss().find("is damaged"), std::string::npos)
        << cluster.peer(hurt).raft->loss();
    cluster.stop(hurt);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.is_down(hurt); }));
    EXPECT_NE(start(hurt).find("is damaged"), std::string::npos) << "also where it is not read";
    EXPECT_TRUE(others_are_intact(hurt));
}

TEST_F(RaftLoss, damaged_metadata_stops_the_start) {
    found(1);
    crash({0});
    auto& disk = *cluster.peer(0).disk;
    storage::Batch batch;
    batch.put(Family::raft_meta, "hard_state", "x");
    disk.apply(batch);
    disk.mark_synced(disk.sequence());
    EXPECT_NE(start(0).find("hard_state"), std::string::npos);
}

}  // namespace
}  // namespace ipfscluster::sim
