// Followers that need a snapshot while something goes wrong or goes on.
#include <gtest/gtest.h>

#include "sim/raft/sim_cluster.hpp"

namespace ipfscluster::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Three peers, of which one was away for so long that it needs a snapshot of several pieces.
class RaftSnapshots : public testing::Test {
 protected:
    RaftSnapshots() {
        cluster.add_founders(3);
        cluster.start_all();
        EXPECT_TRUE(cluster.run_until([&] { return cluster.leader() >= 0; }));
        late = (cluster.leader() + 1) % 3;
        cluster.crash(late);
        commit(60, 30000);
        EXPECT_TRUE(cluster.run_until([&] { return cluster.is_down(late); }));
        // Only a snapshot moves what it has compacted.
        cluster.peer(late).options.snapshot_threshold = 100000;
    }
    void commit(int count, std::size_t name_bytes = 0) {
        for (int i = 0; i < count; ++i) {
            cluster.submit_pin(cluster.leader(), name_bytes);
            ASSERT_TRUE(cluster.run_until([&] { return cluster.pending() == 0; }));
        }
    }
    std::size_t open_snapshots() {
        return cluster.peer(cluster.leader()).raft->status().open_snapshots;
    }
    std::uint64_t installed() { return cluster.peer(late).raft->log().compacted().index; }
    bool caught_up() {
        const int lead = cluster.leader();
        return lead >= 0 && cluster.peer(late).raft->log().applied().index ==
                                cluster.peer(lead).raft->log().applied().index;
    }
    /// Starts the late peer and runs until it has been promised a snapshot.
    void offer() {
        cluster.start(late);
        ASSERT_TRUE(cluster.run_until([&] { return open_snapshots() > 0; }));
    }
    SimCluster cluster{11, short_log()};
    int late = -1;
};

TEST_F(RaftSnapshots, an_offer_that_is_lost_is_repeated_at_once) {
    offer();
    const int lead = cluster.leader();
    cluster.network.break_link(cluster.peer(late).id, cluster.peer(lead).id);
    cluster.world.run_for(milliseconds(100));
    cluster.network.heal_all();
    EXPECT_TRUE(cluster.run_until([&] { return caught_up(); }, seconds(8)))
        << "not only when the lease has been idle for 15 s";
}

TEST_F(RaftSnapshots, a_finished_transfer_holds_nothing) {
    offer();
    ASSERT_TRUE(cluster.run_until([&] { return caught_up(); }, seconds(10)));
    EXPECT_TRUE(cluster.run_until([&] { return open_snapshots() == 0; }, seconds(1)));
}

TEST_F(RaftSnapshots, the_offer_of_a_new_leader_ends_a_transfer_from_a_dead_one) {
    cluster.network.set_delay(milliseconds(50), milliseconds(60));
    offer();
    const int old = cluster.leader();
    cluster.world.run_for(milliseconds(200));
    ASSERT_LT(installed(), 30u);
    cluster.network.silence(cluster.peer(old).id);
    cluster.network.set_delay(milliseconds(1), milliseconds(2));
    ASSERT_TRUE(cluster.run_until(
        [&] {
            const int lead = 3 - old - late;
            return cluster.peer(lead).raft->status().engine.role == raft::Role::leader;
        },
        seconds(20)));
    const int lead = 3 - old - late;
    EXPECT_TRUE(cluster.run_until(
        [&] {
            return installed() > 30 && cluster.peer(late).raft->log().applied().index ==
                                           cluster.peer(lead).raft->log().applied().index;
        },
        seconds(8)))
        << "it waits for the dead one";
    ASSERT_EQ(cluster.settle(), "");
    EXPECT_EQ(cluster.check_agreement(), "");
}

TEST_F(RaftSnapshots, what_is_committed_during_a_transfer_stays_in_the_log_for_the_joiner) {
    cluster.network.set_delay(milliseconds(20), milliseconds(25));
    offer();
    const int lead = cluster.leader();
    const auto first = cluster.peer(lead).raft->log().applied().index;
    cluster.world.run_for(milliseconds(80));
    ASSERT_LT(installed(), 30u);
    // The transfer goes on later; more entries come than the log usually keeps.
    cluster.network.break_link(cluster.peer(late).id, cluster.peer(lead).id);
    cluster.network.set_delay(milliseconds(1), milliseconds(2));
    commit(40);
    ASSERT_LT(installed(), 30u);
    cluster.network.heal_all();
    ASSERT_TRUE(cluster.run_until([&] { return caught_up(); }, seconds(10)));
    EXPECT_EQ(installed(), first) << "it had to begin anew";
    // Afterwards the log is as short as ever.
    commit(30);
    const auto& log = cluster.peer(cluster.leader()).raft->log();
    EXPECT_LE(log.last_index() - log.compacted().index, 26u);
    ASSERT_EQ(cluster.settle(), "");
    EXPECT_EQ(cluster.check_agreement(), "");
}

TEST_F(RaftSnapshots, a_transfer_over_a_link_that_is_down_most_of_the_time_goes_on) {
    commit(400, 60000);
    commit(30);
    constexpr std::uint64_t kPinsetBytes = 400 * 60000 + 60 * 30000;
    cluster.network.set_delay(milliseconds(20), milliseconds(20));
    cluster.network.set_bandwidth(4'000'000);
    const auto before = cluster.network.sent();
    offer();
    const int lead = cluster.leader();
    const auto index = cluster.peer(lead).raft->log().applied().index;
    const auto cut_all = [&](bool cut) {
        for (int other = 0; other < 3; ++other)
            if (other != late) cluster.break_link(late, other, cut);
    };
    int cuts = 0;
    // Two seconds up, three seconds down.
    while (installed() < index && cuts < 24) {
        cluster.run_until([&] { return installed() >= index; }, seconds(2));
        if (installed() >= index) break;
        ++cuts;
        cut_all(true);
        cluster.world.run_for(seconds(3));
        cut_all(false);
    }
    EXPECT_GE(cuts, 3) << "it was to be broken";
    EXPECT_EQ(installed(), index) << "not there after " << cuts << " cuts";
    EXPECT_LT(cluster.network.sent() - before, kPinsetBytes * 13 / 10);
    ASSERT_EQ(cluster.settle(), "");
    EXPECT_EQ(cluster.check_agreement(), "");
}

TEST_F(RaftSnapshots, a_transfer_goes_on_after_a_break_of_minutes) {
    cluster.network.set_delay(milliseconds(20), milliseconds(20));
    cluster.network.set_bandwidth(500'000);
    const auto before = cluster.network.sent();
    offer();
    const int lead = cluster.leader();
    const auto index = cluster.peer(lead).raft->log().applied().index;
    cluster.world.run_for(seconds(2));
    ASSERT_LT(installed(), index);
    cluster.network.break_link(cluster.peer(late).id, cluster.peer(lead).id);
    cluster.world.run_for(std::chrono::minutes(3));
    EXPECT_EQ(open_snapshots(), 1u);
    cluster.network.heal_all();
    ASSERT_TRUE(cluster.run_until([&] { return installed() >= index; }, seconds(30)));
    EXPECT_EQ(installed(), index);
    // What was on its way at the break is sent twice; heartbeats of three minutes are in it, too.
    EXPECT_LT(cluster.network.sent() - before, 60 * 30000 + 1'300'000);
    EXPECT_TRUE(cluster.run_until([&] { return open_snapshots() == 0; }, seconds(5)));
}

TEST_F(RaftSnapshots, a_transfer_outlives_its_leaders_term) {
    // With the third peer gone each cut takes leadership away; afterwards the same peer leads
    // again.
    const int lead = cluster.leader();
    cluster.network.set_delay(milliseconds(20), milliseconds(20));
    cluster.network.set_bandwidth(250'000);
    cluster.start(late);
    ASSERT_TRUE(cluster.run_until([&] { return open_snapshots() > 0; }));
    cluster.world.run_for(seconds(3));
    const auto before = cluster.network.sent();
    const int third = 3 - lead - late;
    cluster.crash(third);
    const auto& raft = *cluster.peer(lead).raft;
    const auto term = raft.status().engine.term;
    cluster.network.break_link(cluster.peer(late).id, cluster.peer(lead).id);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.leader() < 0; }, seconds(20)));
    cluster.network.heal_all();
    ASSERT_TRUE(cluster.run_until([&] { return installed() > 30; }, seconds(60)));
    EXPECT_TRUE(cluster.run_until([&] { return cluster.leader() == lead; }, seconds(20)));
    EXPECT_GT(raft.status().engine.term, term);
    EXPECT_LT(cluster.network.sent() - before, 60 * 30000 * 5 / 6) << "it began at row 0";
    ASSERT_EQ(cluster.settle(), "");
    EXPECT_EQ(cluster.check_agreement(), "");
}

TEST_F(RaftSnapshots, a_follower_that_was_restarted_is_offered_it_again) {
    cluster.network.set_delay(milliseconds(20), milliseconds(20));
    cluster.network.set_bandwidth(500'000);
    offer();
    cluster.world.run_for(seconds(1));
    ASSERT_LT(installed(), 30u);
    cluster.crash(late);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.is_down(late); }));
    cluster.start(late);
    EXPECT_TRUE(cluster.run_until([&] { return caught_up(); }, seconds(40)));
    ASSERT_EQ(cluster.settle(), "");
    EXPECT_EQ(cluster.check_agreement(), "");
}

TEST_F(RaftSnapshots, a_log_is_not_held_without_end_for_a_follower_that_does_not_take_it) {
    offer();
    const int lead = cluster.leader();
    cluster.crash(late);
    commit(400);
    const auto& log = cluster.peer(lead).raft->log();
    EXPECT_LE(log.last_index() - log.compacted().index, raft::kCompactionHoldFactor * 24 + 2);
}

TEST_F(RaftSnapshots, a_failure_of_its_own_is_no_removal) {
    cluster.start(late);
    auto& peer = cluster.peer(late);
    // Takes the rows away in the moment before they are switched in.
    bool dropped = false;
    ASSERT_TRUE(cluster.run_until(
        [&] {
            auto staged = peer.state->staged_pins();
            if (!dropped && staged && staged.value().count == 60)
                dropped = peer.state->drop_staging().has_value();
            return dropped && peer.raft->status().engine.id != 0 && !peer.raft->status().running;
        },
        seconds(20)));
    EXPECT_FALSE(peer.raft->removed()) << "its data would be put aside";
    auto refused = cluster.await<component::CommitResult>(peer.raft->commit({}));
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().kind, Kind::conflict) << refused.error().text;
}

TEST_F(RaftSnapshots, no_reader_sees_the_pinset_from_before_it) {
    cluster.network.set_delay(milliseconds(20), milliseconds(25));
    offer();
    auto& peer = cluster.peer(late);
    const auto read = cluster.begin<void>(peer.raft->barrier(seconds(30)));
    const auto ready = cluster.begin<void>(peer.raft->wait_ready(seconds(30)));
    ASSERT_TRUE(cluster.run_until(
        [&] {
            auto staged = peer.state->staged_pins();
            return staged && staged.value().count == 60;
        },
        seconds(20)));
    ASSERT_FALSE(*read || *ready);
    // The switch to what is staged takes a sync: longer than any reader's next look.
    cluster.world.set_blocking_delay(seconds(2), seconds(2));
    const auto sees_all = [&] {
        auto pin = peer.state->get(test_cid(1));
        return pin && pin.value();
    };
    ASSERT_TRUE(cluster.run_until([&] { return read->has_value(); }, seconds(20)));
    ASSERT_TRUE(**read) << (**read).error().text;
    EXPECT_TRUE(sees_all()) << "a strong read was answered from the old pinset";
    ASSERT_TRUE(cluster.run_until([&] { return ready->has_value(); }, seconds(20)));
    ASSERT_TRUE(**ready) << (**ready).error().text;
    EXPECT_TRUE(sees_all()) << "READY was said before the pinset was there";
}

TEST_F(RaftSnapshots, a_removal_is_told_from_other_ends) {
    cluster.start(late);
    ASSERT_TRUE(cluster.run_until([&] { return caught_up(); }, seconds(20)));
    const int lead = cluster.leader();
    ASSERT_TRUE(cluster.await<void>(cluster.peer(lead).raft->remove_peer(cluster.peer(late).id)));
    ASSERT_TRUE(cluster.run_until([&] { return !cluster.peer(late).raft->status().running; }));
    EXPECT_TRUE(cluster.peer(late).raft->removed());
}

}  // namespace
}  // namespace ipfscluster::sim
