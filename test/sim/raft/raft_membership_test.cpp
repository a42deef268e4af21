#include <gtest/gtest.h>

#include <algorithm>

#include "sim/raft/raft_fixture.hpp"

namespace ipfscluster::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Tells how many members `observer` sees when the network is whole again.
asio::awaitable<void> mend_after(SimCluster* cluster, Duration pause, int observer, int* members) {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto slept = co_await cluster->world.sleep_for(pause);
    if (!slept) co_return;
    *members = static_cast<int>(cluster->peer(observer).raft->peers().size());
    cluster->network.heal_all();
}

class RaftMembership : public RaftFixture {
 protected:
    RaftMembership() : RaftFixture(7) {}
    void isolate(int number) {
        for (int other = 0; other < cluster.size(); ++other)
            if (other != number)
                cluster.network.break_link(cluster.peer(number).id, cluster.peer(other).id);
    }
};

TEST_F(RaftMembership, a_single_peer_founds_and_commits_alone) {
    found(1);
    commit(0, 5);
    EXPECT_EQ(cluster.acknowledged(), 5u);
    cluster.crash(0);
    ASSERT_EQ(cluster.settle(), "");
    EXPECT_EQ(cluster.check_agreement(), "");
}

TEST_F(RaftMembership, a_follower_far_behind_gets_a_snapshot) {
    found(3);
    const int late = follower();
    cluster.crash(late);
    commit(cluster.leader(), 60);
    EXPECT_GT(cluster.peer(cluster.leader()).raft->log().first_index(), 30u);
    ASSERT_EQ(cluster.settle(), "");
    EXPECT_GT(cluster.peer(late).raft->log().compacted().index, 30u);
    EXPECT_EQ(cluster.acknowledged(), 60u);
    EXPECT_EQ(cluster.check_agreement(), "");
    // What a snapshot installed survives a crash, and the peer can lead from it (no entries behind
    // it).
    cluster.crash(late);
    ASSERT_EQ(cluster.settle(), "");
    const auto leader_id = cluster.peer(late).id;
    ASSERT_TRUE(cluster.run_until([&] {
        if (cluster.leader() >= 0 && cluster.leader() != late)
            cluster.peer(cluster.leader()).raft->transfer_leadership(leader_id);
        return cluster.leader() == late;
    }));
    commit(late, 3);
    ASSERT_EQ(cluster.settle(), "");
    EXPECT_EQ(cluster.check_agreement(), "");
}

TEST_F(RaftMembership, a_snapshot_transfer_that_breaks_goes_on) {
    found(3);
    const int late = follower();
    cluster.crash(late);
    for (int i = 0; i < 60; ++i) cluster.submit_pin(cluster.leader(), 30000);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.pending() == 0; }));
    commit(cluster.leader(), 30);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.is_down(late); }));
    cluster.start(late);
    // Cuts of the links while the pieces travel.
    for (int i = 0; i < 12; ++i) {
        cluster.world.run_for(milliseconds(25));
        for (int other = 0; other < 3; ++other)
            if (other != late) cluster.break_link(late, other, i % 2 == 0);
    }
    ASSERT_EQ(cluster.settle(), "");
    EXPECT_GT(cluster.peer(late).raft->log().compacted().index, 10u);
    EXPECT_EQ(cluster.check_agreement(), "");
}

TEST_F(RaftMembership, a_peer_that_waits_is_added_as_learner_and_becomes_a_voter) {
    found(2);
    commit(0, 40);
    cluster.add_joiner(2);
    cluster.start(2);
    auto added = cluster.await<void>(cluster.peer(follower()).raft->add_peer(cluster.peer(2).id));
    ASSERT_TRUE(added) << added.error().text;
    EXPECT_EQ(cluster.peer(0).raft->peers().size(), 3u);
    auto ready = cluster.await<void>(cluster.peer(2).raft->wait_ready(seconds(30)));
    ASSERT_TRUE(ready) << ready.error().text;
    ASSERT_TRUE(cluster.run_until([&] { return is_voter(0, 2) && is_voter(2, 2); }));
    EXPECT_EQ(cluster.peer(2).raft->log().cluster_id(), cluster.peer(0).raft->log().cluster_id());
    commit(2, 3);
    ASSERT_EQ(cluster.settle(), "");
    EXPECT_EQ(cluster.check_agreement(), "");
    // Adding again is no change, and the joiner's later start finds its state.
    EXPECT_TRUE(cluster.await<void>(cluster.peer(0).raft->add_peer(cluster.peer(2).id)));
    cluster.crash(2);
    ASSERT_EQ(cluster.settle(), "");
    EXPECT_EQ(cluster.check_agreement(), "");
}

TEST_F(RaftMembership, a_learner_removed_behind_its_back_notices_and_ends) {
    found(3);
    cluster.add_joiner(3);
    cluster.start(3);
    const int lead = cluster.leader();
    bool added = false;
    ASSERT_TRUE(cluster.run_until([&] {
        if (!std::exchange(added, true)) cluster.ask_to_add(lead, 3);
        return cluster.is_member(3) && !cluster.peer(3).raft->log().members().empty();
    }));
    ASSERT_FALSE(is_voter(lead, 3));
    isolate(3);
    auto removed = cluster.await<void>(cluster.peer(lead).raft->remove_peer(cluster.peer(3).id));
    ASSERT_TRUE(removed) << removed.error().text;
    cluster.network.heal_all();
    ASSERT_TRUE(cluster.run_until([&] { return !cluster.peer(3).raft->status().running; }));
    auto refused = cluster.await<component::CommitResult>(cluster.peer(3).raft->commit({}));
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().text.find("removed"), std::string::npos) << refused.error().text;
}

TEST(raft_membership, who_has_just_joined_can_take_itself_out_and_is_told_so) {
    // The others agree without a learner, and the leader drops it before it has heard of it.
    int told_by_a_member = 0;
    for (int moment = 0; moment < 40; ++moment) {
        SimCluster cluster(200 + static_cast<std::uint64_t>(moment), short_log());
        cluster.add_founders(3);
        cluster.start_all();
        ASSERT_TRUE(cluster.run_until([&] { return cluster.leader() >= 0; }));
        cluster.add_joiner(3);
        cluster.start(3);
        auto& newcomer = *cluster.peer(3).raft;
        cluster.world.run_for(milliseconds(50));
        auto added =
            cluster.await<void>(cluster.peer(cluster.leader()).raft->add_peer(cluster.peer(3).id));
        ASSERT_TRUE(added) << moment << ": " << added.error().text;
        ASSERT_TRUE(cluster.run_until([&] {
            return newcomer.status().engine.leader != 0 && !newcomer.log().members().empty();
        }));
        cluster.world.run_for(milliseconds(moment / 4));
        auto removed = cluster.await<void>(newcomer.remove_peer(cluster.peer(3).id));
        EXPECT_TRUE(removed) << moment << ": " << removed.error().text;
        ASSERT_TRUE(cluster.run_until([&] { return !newcomer.status().running; }));
        EXPECT_TRUE(newcomer.removed()) << moment;
        ASSERT_GE(cluster.leader(), 0);
        EXPECT_FALSE(cluster.is_member(3)) << moment;
        const auto& log = newcomer.log();
        told_by_a_member += static_cast<int>(
            std::any_of(log.nodes().begin(), log.nodes().end(), [&](const auto& node) {
                return node.second.peer == cluster.peer(3).id && !node.second.removed;
            }));
    }
    EXPECT_GT(told_by_a_member, 0) << "no seed met what this test is about";
}

TEST_F(RaftMembership, a_leader_the_others_removed_while_it_took_itself_out_is_told_so) {
    found(3);
    const int old = cluster.leader();
    const int other = follower();
    isolate(old);
    cluster.ask_to_remove(other, old);
    TaskGroup later(cluster.world, "mending");
    int members_before = 0;
    later.spawn(mend_after(&cluster, seconds(8), other, &members_before));
    auto removed = cluster.await<void>(cluster.peer(old).raft->remove_peer(cluster.peer(old).id));
    EXPECT_TRUE(removed) << removed.error().text;
    EXPECT_EQ(members_before, 2) << "the others had not agreed while it was cut off";
    EXPECT_TRUE(cluster.peer(old).raft->removed());
    // Who asks again hears the same.
    EXPECT_TRUE(cluster.await<void>(cluster.peer(old).raft->remove_peer(cluster.peer(old).id)));
    ASSERT_TRUE(cluster.run_until([&] { return cluster.leader() >= 0 && later.size() == 0; }));
    EXPECT_FALSE(cluster.is_member(old));
}

TEST_F(RaftMembership, a_peer_whose_disk_fails_while_it_takes_itself_out_does_not_say_it_is_out) {
    found(3);
    const int failing = follower();
    cluster.world.run_for(seconds(3));
    // The next sync is that of the entry which takes it out.
    cluster.peer(failing).store->fail_sync(1, {Kind::internal, "the disk is gone"});
    auto removed =
        cluster.await<void>(cluster.peer(failing).raft->remove_peer(cluster.peer(failing).id));
    ASSERT_FALSE(removed);
    EXPECT_EQ(removed.error().kind, Kind::unknown_outcome);
    EXPECT_NE(removed.error().text.find("the disk is gone"), std::string::npos)
        << removed.error().text;
    EXPECT_FALSE(cluster.peer(failing).raft->removed());
}

TEST_F(RaftMembership,
       a_change_that_was_accepted_before_the_askers_disk_failed_has_an_unknown_outcome) {
    found(3);
    const int lead = cluster.leader();
    const int asker = follower();
    const int other = 3 - lead - asker;
    cluster.world.run_for(seconds(3));
    cluster.peer(asker).store->fail_sync(1, {Kind::internal, "the disk is gone"});
    auto removed =
        cluster.await<void>(cluster.peer(asker).raft->remove_peer(cluster.peer(other).id));
    ASSERT_FALSE(removed);
    EXPECT_EQ(removed.error().kind, Kind::unknown_outcome) << removed.error().text;
    EXPECT_NE(removed.error().text.find("the disk is gone"), std::string::npos)
        << removed.error().text;
    // And it did happen.
    ASSERT_TRUE(cluster.run_until([&] { return cluster.peer(other).raft->removed(); }));
}

TEST_F(RaftMembership, a_joiner_removed_before_its_first_snapshot_is_told_so) {
    found(3);
    for (int i = 0; i < 60; ++i) cluster.submit_pin(cluster.leader(), 30000);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.pending() == 0; }));
    cluster.add_joiner(3);
    cluster.start(3);
    auto& newcomer = *cluster.peer(3).raft;
    cluster.world.run_for(milliseconds(50));
    cluster.ask_to_add(cluster.leader(), 3);
    ASSERT_TRUE(cluster.run_until([&] { return newcomer.status().engine.leader != 0; }));
    isolate(3);
    ASSERT_TRUE(newcomer.log().members().empty()) << "it has its snapshot already";
    // Longer than a transfer is tried again.
    cluster.world.run_for(seconds(30));
    auto removed =
        cluster.await<void>(cluster.peer(cluster.leader()).raft->remove_peer(cluster.peer(3).id));
    ASSERT_TRUE(removed) << removed.error().text;
    // Nothing of the time before is under way any more.
    cluster.world.run_for(seconds(30));
    cluster.network.heal_all();
    ASSERT_TRUE(cluster.run_until([&] { return !newcomer.status().running; }));
    EXPECT_TRUE(newcomer.removed());
}

TEST_F(RaftMembership, a_founder_that_asks_to_join_anew_is_told_of_its_removal) {
    found(3);
    const int gone = follower();
    const int lead = cluster.leader();
    cluster.crash_and_wipe(gone);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.is_down(gone); }));
    cluster.start(gone);
    auto& returned = *cluster.peer(gone).raft;
    auto nodes_of_it = [&] {
        const auto& nodes = cluster.peer(lead).raft->log().nodes();
        return std::count_if(nodes.begin(), nodes.end(), [&](const auto& node) {
            return node.second.peer == cluster.peer(gone).id;
        });
    };
    ASSERT_TRUE(cluster.run_until([&] { return nodes_of_it() == 2; }));
    isolate(gone);
    ASSERT_TRUE(returned.log().members().empty()) << "it has its snapshot already";
    auto removed = cluster.await<void>(cluster.peer(lead).raft->remove_peer(cluster.peer(gone).id));
    ASSERT_TRUE(removed) << removed.error().text;
    cluster.world.run_for(seconds(30));
    cluster.network.heal_all();
    ASSERT_TRUE(cluster.run_until([&] { return returned.removed(); }));
}

TEST_F(RaftMembership, a_removed_follower_notices_and_ends) {
    found(3);
    commit(0, 5);
    const int gone = follower();
    const int asker = cluster.leader();
    auto removed =
        cluster.await<void>(cluster.peer(asker).raft->remove_peer(cluster.peer(gone).id));
    ASSERT_TRUE(removed) << removed.error().text;
    EXPECT_EQ(cluster.peer(asker).raft->peers().size(), 2u);
    ASSERT_TRUE(cluster.run_until([&] { return !cluster.peer(gone).raft->status().running; }));
    auto refused = cluster.await<component::CommitResult>(cluster.peer(gone).raft->commit({}));
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().text.find("removed"), std::string::npos) << refused.error().text;
    commit(asker, 5);
    EXPECT_EQ(cluster.acknowledged(), 10u);
    // Its data says so after a restart, too, without asking anybody.
    ASSERT_TRUE(cluster.await<void>(cluster.peer(gone).store->sync()));
    cluster.crash(gone);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.is_down(gone); }));
    cluster.start(gone);
    cluster.world.run_for(milliseconds(100));
    auto ready = cluster.await<void>(cluster.peer(gone).raft->wait_ready(seconds(30)));
    ASSERT_FALSE(ready);
    EXPECT_EQ(ready.error().kind, Kind::conflict);
    EXPECT_NE(ready.error().text.find("--bootstrap"), std::string::npos) << ready.error().text;
}

TEST_F(RaftMembership, a_removed_peer_that_was_away_is_told_when_it_returns) {
    found(3);
    const int gone = follower();
    cluster.crash(gone);
    const int asker = cluster.leader();
    ASSERT_TRUE(cluster.await<void>(cluster.peer(asker).raft->remove_peer(cluster.peer(gone).id)));
    ASSERT_TRUE(cluster.run_until([&] { return cluster.is_down(gone); }));
    cluster.start(gone);
    ASSERT_TRUE(cluster.run_until([&] {
        return cluster.peer(gone).raft->status().engine.id != 0 &&
               !cluster.peer(gone).raft->status().running;
    }));
}

TEST_F(RaftMembership, a_leader_that_is_removed_hands_over_first) {
    found(3);
    commit(0, 5);
    const int old = cluster.leader();
    auto removed = cluster.await<void>(cluster.peer(old).raft->remove_peer(cluster.peer(old).id));
    ASSERT_TRUE(removed) << removed.error().text;
    ASSERT_TRUE(cluster.run_until([&] { return !cluster.peer(old).raft->status().running; }));
    ASSERT_TRUE(
        cluster.run_until([&] { return cluster.leader() >= 0 && cluster.leader() != old; }));
    commit(cluster.leader(), 5);
    EXPECT_EQ(cluster.acknowledged(), 10u);
}

TEST_F(RaftMembership, the_leader_is_removed_by_another_peer) {
    found(3);
    const int old = cluster.leader();
    auto removed =
        cluster.await<void>(cluster.peer(follower()).raft->remove_peer(cluster.peer(old).id));
    ASSERT_TRUE(removed) << removed.error().text;
    ASSERT_TRUE(cluster.run_until([&] { return !cluster.peer(old).raft->status().running; }));
}

TEST_F(RaftMembership, the_last_peer_cannot_be_removed) {
    found(1);
    auto removed = cluster.await<void>(cluster.peer(0).raft->remove_peer(cluster.peer(0).id));
    ASSERT_FALSE(removed);
    EXPECT_EQ(removed.error().kind, Kind::conflict);
    // Somebody who is no member is gone already.
    EXPECT_TRUE(cluster.await<void>(cluster.peer(0).raft->remove_peer(test_peer(9))));
}

TEST_F(RaftMembership, a_removal_that_would_leave_no_live_quorum_is_refused_at_once) {
    found(3);
    const int lead = cluster.leader();
    const int dead = follower();
    cluster.crash(dead);
    const int other = follower();
    cluster.world.run_for(seconds(3));
    for (const int asker : {lead, other}) {
        const auto start = cluster.world.steady_now();
        auto refused =
            cluster.await<void>(cluster.peer(asker).raft->remove_peer(cluster.peer(other).id));
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().kind, Kind::conflict);
        EXPECT_NE(refused.error().text.find("no quorum"), std::string::npos)
            << refused.error().text;
        EXPECT_LT(cluster.world.steady_now() - start, seconds(3));
    }
    EXPECT_EQ(cluster.peer(lead).raft->peers().size(), 3u);
    // The dead one may go, also when a follower asks.
    auto removed =
        cluster.await<void>(cluster.peer(other).raft->remove_peer(cluster.peer(dead).id));
    EXPECT_TRUE(removed) << removed.error().text;
    EXPECT_EQ(cluster.peer(lead).raft->peers().size(), 2u);
}

TEST_F(RaftMembership, a_change_that_meets_a_dying_leader_goes_to_the_next_one) {
    found(3);
    const int old = cluster.leader();
    const int asker = follower();
    cluster.ask_to_remove(asker, old);
    cluster.crash(old);
    auto removed = cluster.await<void>(cluster.peer(asker).raft->remove_peer(cluster.peer(old).id));
    EXPECT_TRUE(removed) << removed.error().text;
    EXPECT_EQ(cluster.peer(asker).raft->peers().size(), 2u);
}

TEST(raft_membership, a_leader_can_be_removed_at_any_moment_of_its_rhythm) {
    // Once per election timeout a leader has forgotten who is alive.
    for (int moment = 0; moment < 12; ++moment) {
        SimCluster cluster(100 + static_cast<std::uint64_t>(moment));
        cluster.add_founders(3);
        cluster.start_all();
        ASSERT_TRUE(cluster.run_until([&] { return cluster.leader() >= 0; }));
        cluster.world.run_for(seconds(2) + milliseconds(90 * moment));
        const int old = cluster.leader();
        auto removed =
            cluster.await<void>(cluster.peer(old).raft->remove_peer(cluster.peer(old).id));
        EXPECT_TRUE(removed) << moment << ": " << removed.error().text;
    }
}

TEST_F(RaftMembership, without_a_quorum_operations_end_with_a_clear_error) {
    found(3);
    const int alone = cluster.leader();
    for (int number = 0; number < 3; ++number)
        if (number != alone) cluster.crash(number);
    cluster.submit_pin(alone);
    cluster.world.run_for(seconds(5));
    cluster.submit_pin(alone);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.pending() == 0; }, seconds(60)));
    // The first was proposed by a leader that had not noticed; the second never left.
    EXPECT_EQ(cluster.records().at(1).outcome, SimCluster::Outcome::unknown);
    EXPECT_EQ(cluster.records().at(2).outcome, SimCluster::Outcome::refused);
    EXPECT_NE(cluster.records().at(2).error.find("quorum"), std::string::npos);
    auto removed = cluster.await<void>(
        cluster.peer(alone).raft->remove_peer(cluster.peer((alone + 1) % 3).id));
    ASSERT_FALSE(removed);
    EXPECT_NE(removed.error().text.find("quorum"), std::string::npos) << removed.error().text;
    auto synced = cluster.await<void>(cluster.peer(alone).raft->barrier(seconds(5)));
    ASSERT_FALSE(synced);
    EXPECT_EQ(synced.error().kind, Kind::unavailable);
}

TEST_F(RaftMembership, a_read_barrier_at_any_peer_sees_what_was_acknowledged_before) {
    found(3);
    for (int i = 0; i < 10; ++i) {
        const auto id = cluster.submit_pin(i % 3);
        ASSERT_TRUE(cluster.run_until([&] { return cluster.pending() == 0; }));
        const int reader = (i + 1) % 3;
        ASSERT_TRUE(cluster.await<void>(cluster.peer(reader).raft->barrier(seconds(5))));
        auto found_pin = cluster.peer(reader).state->get(test_cid(id));
        ASSERT_TRUE(found_pin && found_pin.value());
    }
}

TEST_F(RaftMembership, a_clean_stop_hands_leadership_over) {
    found(3);
    commit(0, 3);
    const int old = cluster.leader();
    const auto term = cluster.peer(old).raft->status().engine.term;
    cluster.stop(old);
    const auto before = cluster.world.steady_now();
    ASSERT_TRUE(
        cluster.run_until([&] { return cluster.leader() >= 0 && cluster.leader() != old; }));
    EXPECT_LT(cluster.world.steady_now() - before, milliseconds(900));
    EXPECT_EQ(cluster.peer(cluster.leader()).raft->status().engine.term, term + 1);
}

/// A leader whose disk hangs for longer than anybody waits, and a learner that is away.
class RaftStalledLeader : public RaftMembership {
 protected:
    void stall_with(int founders) {
        cluster.add_founders(founders);
        for (int number = 0; number < founders; ++number)
            cluster.peer(number).options.membership_limit = seconds(12);
        cluster.start_all();
        ASSERT_TRUE(cluster.run_until([&] { return cluster.leader() >= 0; }));
        lead = cluster.leader();
        // So far behind that it is no voter before it had a snapshot.
        commit(lead, 80);
        cluster.add_joiner(founders);
        cluster.start(founders);
        ASSERT_TRUE(cluster.run_until(
            [&] { return cluster.peer(founders).raft->status().engine.id != 0; }));
        auto added =
            cluster.await<void>(cluster.peer(lead).raft->add_peer(cluster.peer(founders).id));
        ASSERT_TRUE(added) << added.error().text;
        cluster.crash(founders);
        learner = founders;
        ASSERT_TRUE(cluster.run_until([&] { return cluster.is_down(learner); }));
        cluster.world.run_for(seconds(5));
        ASSERT_EQ(cluster.leader(), lead);
        ASSERT_FALSE(is_voter(lead, learner));
        cluster.peer(lead).store->delay_write(1, seconds(25));
        cluster.submit_pin(lead);
        cluster.world.run_for(milliseconds(20));
    }
    void remove_learner_from(int asker) {
        auto removed =
            cluster.await<void>(cluster.peer(asker).raft->remove_peer(cluster.peer(learner).id));
        ASSERT_FALSE(removed);
        EXPECT_EQ(removed.error().kind, Kind::unavailable) << removed.error().text;
        cluster.world.run_for(seconds(40));
        ASSERT_TRUE(cluster.run_until([&] { return cluster.leader() >= 0; }));
        EXPECT_EQ(cluster.peer(cluster.leader()).raft->log().members().size(),
                  static_cast<std::size_t>(learner + 1))
            << "it was said that nothing happened";
    }
    int lead = -1;
    int learner = -1;
};

TEST_F(RaftStalledLeader, does_not_do_later_what_it_told_itself_it_did_not) {
    ASSERT_NO_FATAL_FAILURE(stall_with(1));
    remove_learner_from(lead);
}

TEST_F(RaftStalledLeader, does_not_do_later_what_it_told_a_member_it_did_not) {
    ASSERT_NO_FATAL_FAILURE(stall_with(2));
    remove_learner_from(1 - lead);
}

/// One change of membership asked of the leader, as an old or slow member would.
Async<raft::ChangeReply> ask_change(SimCluster* cluster, int from, int lead,
                                    raft::ChangeRequest change) {
    auto& asker = *cluster->peer(from).raft;
    raft::Hello hello;
    hello.purpose = raft::Purpose::change;
    hello.node = asker.status().engine.id;
    hello.cluster_id = asker.log().cluster_id();
    auto greeted = co_await raft::greet(cluster->world, *cluster->peer(from).host,
                                        cluster->peer(lead).id, std::move(hello), seconds(5));
    if (!greeted) co_return fail(greeted.error());
    auto* stream = greeted.value().stream.get();
    auto frame = raft::encode_frame(raft::FrameType::change_request, raft::encode(change));
    ICL_CO_TRY(co_await stream->write(std::move(frame)));
    auto answer = co_await stream->expect(raft::FrameType::change_reply);
    if (!answer) co_return fail(answer.error());
    co_return raft::decode_change_reply(answer.value());
}

TEST_F(RaftMembership, who_is_added_again_stays_a_voter) {
    found(2);
    const int lead = cluster.leader();
    const int other = 1 - lead;
    const auto id = cluster.peer(other).raft->status().engine.id;
    const auto last = cluster.peer(lead).raft->log().last_index();
    auto said = cluster.await<raft::ChangeReply>(ask_change(
        &cluster, other, lead, {raft::ChangeOp::add_learner, id, cluster.peer(other).id.bytes()}));
    ASSERT_TRUE(said) << said.error().text;
    EXPECT_EQ(said.value().verdict, raft::ChangeVerdict::accepted) << said.value().text;
    EXPECT_FALSE(cluster.run_until([&] { return !is_voter(lead, other); }, seconds(3)))
        << "with one voter left of two, one more failure stops the cluster";
    EXPECT_EQ(cluster.peer(lead).raft->log().last_index(), last);
}

TEST_F(RaftMembership, a_late_addition_brings_no_removed_node_back) {
    found(3);
    cluster.add_joiner(3);
    cluster.start(3);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.peer(3).raft->status().engine.id != 0; }));
    const auto id = cluster.peer(3).raft->status().engine.id;
    auto& lead = *cluster.peer(cluster.leader()).raft;
    auto added = cluster.await<void>(lead.add_peer(cluster.peer(3).id));
    ASSERT_TRUE(added) << added.error().text;
    auto removed = cluster.await<void>(lead.remove_peer(cluster.peer(3).id));
    ASSERT_TRUE(removed) << removed.error().text;
    ASSERT_EQ(lead.log().members().size(), 3u);
    const auto last = lead.log().last_index();
    auto said = cluster.await<raft::ChangeReply>(ask_change(
        &cluster, follower(), cluster.leader(),
        {raft::ChangeOp::add_learner, id, cluster.peer(3).id.bytes(), state::kFeatureLevel}));
    ASSERT_TRUE(said) << said.error().text;
    cluster.world.run_for(seconds(5));
    EXPECT_GT(lead.log().last_index(), last) << "the late addition was not even proposed";
    for (int number = 0; number < 3; ++number)
        EXPECT_EQ(cluster.peer(number).raft->log().members().size(), 3u) << number;
}

TEST_F(RaftMembership, what_its_caller_gave_up_before_there_was_a_leader_does_not_happen) {
    found(3);
    commit(0, 3);
    for (int number = 1; number < 3; ++number) cluster.crash(number);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.leader() < 0; }));
    cluster.world.run_for(seconds(5));
    PinOperation operation;
    operation.pin.cid = test_cid(99);
    operation.pin.options.replication_min = operation.pin.options.replication_max = -1;
    auto given_up = cluster.await<component::CommitResult>(with_deadline<component::CommitResult>(
        cluster.world, seconds(2), "a caller in a hurry", cluster.peer(0).raft->commit(operation)));
    ASSERT_FALSE(given_up);
    ASSERT_EQ(cluster.settle(), "");
    cluster.world.run_for(seconds(5));
    auto pin = cluster.peer(0).state->get(test_cid(99));
    ASSERT_TRUE(pin);
    EXPECT_FALSE(pin.value()) << "nobody was to be told of it";
}

TEST_F(RaftMembership, who_still_needs_a_snapshot_is_no_voter) {
    found(1);
    // Fewer entries than a learner may lag behind.
    for (int i = 0; i < 40; ++i) {
        cluster.submit_pin(0, 30000);
        ASSERT_TRUE(cluster.run_until([&] { return cluster.pending() == 0; }));
    }
    cluster.network.set_bandwidth(200'000);
    cluster.add_joiner(1);
    cluster.start(1);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.peer(1).raft->status().engine.id != 0; }));
    auto added = cluster.await<void>(cluster.peer(0).raft->add_peer(cluster.peer(1).id));
    ASSERT_TRUE(added) << added.error().text;
    cluster.world.run_for(seconds(1));
    const auto term = cluster.peer(0).raft->status().engine.term;
    for (int i = 0; i < 3; ++i) {
        cluster.network.break_link(cluster.peer(0).id, cluster.peer(1).id);
        cluster.world.run_for(seconds(3));
        EXPECT_FALSE(is_voter(0, 1));
        EXPECT_EQ(cluster.leader(), 0) << "a link that is down is no reason to stop";
        cluster.network.heal_all();
        cluster.world.run_for(seconds(1));
    }
    EXPECT_EQ(cluster.peer(0).raft->status().engine.term, term);
    ASSERT_TRUE(cluster.run_until([&] { return is_voter(0, 1); }, seconds(60)));
    EXPECT_GT(cluster.peer(1).raft->log().compacted().index, 10u);
    ASSERT_EQ(cluster.settle(), "");
    EXPECT_EQ(cluster.check_agreement(), "");
}

TEST_F(RaftMembership, a_peer_that_comes_anew_hundreds_of_times_leaves_nothing_behind) {
    found(3);
    cluster.add_joiner(3);
    const auto lead = [&] { return cluster.peer(cluster.leader()).raft.get(); };
    const auto come = [&] {
        cluster.start(3);
        ASSERT_TRUE(cluster.run_until([&] { return cluster.peer(3).raft->status().engine.id != 0; },
                                      seconds(5)));
        // As the joiner does: it asks until it is in. A leader that still has the connection to its
        // earlier life takes it for the member it was.
        Result<> ready = ok();
        for (int i = 0; i < 10; ++i) {
            auto added = cluster.await<void>(lead()->add_peer(cluster.peer(3).id));
            ASSERT_TRUE(added) << added.error().text;
            ready = cluster.await<void>(cluster.peer(3).raft->wait_ready(seconds(3)));
            if (ready) break;
        }
        ASSERT_TRUE(ready) << ready.error().text;
    };
    come();
    const auto rest = [&] {
        return cluster.run_until([&] { return lead()->log().members().size() == 4; }, seconds(20));
    };
    ASSERT_TRUE(rest());
    cluster.world.run_for(seconds(20));
    const auto before = lead()->status();
    ASSERT_EQ(before.links, 3u);
    for (int cycle = 1; cycle <= 1000; ++cycle) {
        cluster.crash_and_wipe(3);
        ASSERT_TRUE(cluster.run_until([&] { return cluster.is_down(3); }));
        ASSERT_NO_FATAL_FAILURE(come()) << "cycle " << cycle;
    }
    ASSERT_TRUE(rest());
    cluster.world.run_for(seconds(20));
    for (int number = 0; number < 4; ++number) {
        const auto after = cluster.peer(number).raft->status();
        EXPECT_LE(after.links, 3u) << number;
        EXPECT_LE(after.streams, before.streams) << number;
        EXPECT_LE(after.tasks, before.tasks) << number;
        EXPECT_EQ(after.contacts, 0u) << number;
        EXPECT_EQ(after.open_snapshots, 0u) << number;
    }
    ASSERT_EQ(cluster.settle(), "");
    EXPECT_EQ(cluster.check_agreement(), "");
}

}  // namespace
}  // namespace ipfscluster::sim
