// What was told about members, as a replicated fact.
#include <gtest/gtest.h>

#include <algorithm>

#include "sim/raft/raft_fixture.hpp"

namespace ipfscluster::sim {
namespace {

using component::Cordon;
using std::chrono::seconds;
using Cordons = std::vector<std::pair<PeerId, Cordon>>;

const Cordon kCordoned{Cordon::Kind::cordoned, false, Time(seconds(5))};
const Cordon kDraining{Cordon::Kind::draining, true, Time(seconds(6))};

class RaftCordon : public RaftFixture {
 protected:
    RaftCordon() : RaftFixture(21) {}
    raft::RaftConsensus& raft(int number) { return *cluster.peer(number).raft; }
    Result<> tell(int at, int about, Cordon cordon) {
        return cluster.await<void>(raft(at).set_cordon(test_peer(about), cordon));
    }
    /// All that are up agree on this, soon.
    bool all_say(Cordons wanted) {
        std::sort(wanted.begin(), wanted.end(),
                  [](const auto& a, const auto& b) { return a.first < b.first; });
        return cluster.run_until(
            [&] {
                for (int number = 0; number < 10; ++number)
                    if (cluster.has(number) && cluster.peer(number).up &&
                        raft(number).cordons() != wanted)
                        return false;
                return true;
            },
            seconds(20));
    }
    bool has_row(int number, int about) {
        auto row = cluster.peer(number).store->get(storage::Family::raft_meta,
                                                   "cordon/" + test_peer(about).bytes());
        return row && row.value();
    }
};

TEST_F(RaftCordon, what_is_told_through_a_follower_is_known_to_all_and_the_last_word_wins) {
    found(3);
    const int at = follower();
    int heard = 0;
    raft(at).on_cordons([&] { ++heard; });
    ASSERT_TRUE(tell(at, 1, kCordoned));
    EXPECT_EQ(raft(at).cordon(test_peer(1)), kCordoned) << "applied where it was asked";
    EXPECT_EQ(heard, 1);
    EXPECT_TRUE(all_say({{test_peer(1), kCordoned}}));
    ASSERT_TRUE(tell(cluster.leader(), 1, kDraining));
    EXPECT_TRUE(all_say({{test_peer(1), kDraining}}));
    EXPECT_EQ(heard, 2);
    ASSERT_TRUE(tell(at, 1, {}));
    EXPECT_TRUE(all_say({}));
    EXPECT_EQ(raft(at).cordon(test_peer(1)), Cordon{});
    EXPECT_EQ(heard, 3);
    commit(at, 2);
    EXPECT_EQ(heard, 3) << "pins are no news of members";
}

TEST_F(RaftCordon, of_who_is_no_member_nothing_is_told) {
    found(3);
    auto told = tell(follower(), 7, kCordoned);
    ASSERT_FALSE(told);
    EXPECT_EQ(told.error().kind, Kind::not_found) << told.error().text;
    EXPECT_TRUE(all_say({}));
    told = tell(follower(), 1, {static_cast<Cordon::Kind>(9), false, {}});
    ASSERT_FALSE(told) << "no peer could read it";
    EXPECT_EQ(told.error().kind, Kind::invalid) << told.error().text;
}

TEST_F(RaftCordon, it_survives_a_restart_of_all) {
    found(3);
    ASSERT_TRUE(tell(follower(), 0, kDraining));
    ASSERT_TRUE(tell(follower(), 2, kCordoned));
    ASSERT_TRUE(all_say({{test_peer(0), kDraining}, {test_peer(2), kCordoned}}));
    for (int number = 0; number < 3; ++number) cluster.crash(number);
    ASSERT_EQ(cluster.settle(), "");
    EXPECT_TRUE(all_say({{test_peer(0), kDraining}, {test_peer(2), kCordoned}}));
}

TEST_F(RaftCordon, a_newcomer_learns_it_from_a_snapshot) {
    found(3);
    ASSERT_TRUE(tell(follower(), 0, kDraining));
    commit(cluster.leader(), 60);
    ASSERT_GT(raft(cluster.leader()).log().first_index(), 30u);
    cluster.add_joiner(3);
    cluster.start(3);
    ASSERT_TRUE(cluster.await<void>(raft(follower()).add_peer(test_peer(3))));
    ASSERT_TRUE(cluster.await<void>(raft(3).wait_ready(seconds(30))));
    EXPECT_TRUE(all_say({{test_peer(0), kDraining}}));
    EXPECT_TRUE(has_row(3, 0));
    cluster.crash(3);
    ASSERT_EQ(cluster.settle(), "");
    EXPECT_TRUE(all_say({{test_peer(0), kDraining}}));
}

TEST_F(RaftCordon, a_snapshot_takes_back_what_was_taken_back_meanwhile) {
    found(3);
    const int late = follower();
    ASSERT_TRUE(tell(late, 0, kDraining));
    ASSERT_TRUE(all_say({{test_peer(0), kDraining}}));
    commit(late, 3);  // so it is on the disk
    ASSERT_TRUE(has_row(late, 0));
    cluster.crash(late);
    ASSERT_TRUE(tell(cluster.leader(), 0, {}));
    ASSERT_TRUE(tell(cluster.leader(), 1, kCordoned));
    commit(cluster.leader(), 60);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.is_down(late); }));
    ASSERT_EQ(cluster.settle(), "");
    EXPECT_GT(raft(late).log().compacted().index, 30u) << "it was to need a snapshot";
    EXPECT_TRUE(all_say({{test_peer(1), kCordoned}}));
    EXPECT_FALSE(has_row(late, 0));
}

TEST_F(RaftCordon, it_goes_with_the_member) {
    found(4);
    const int gone = follower();
    ASSERT_TRUE(tell(gone, gone, kDraining));
    const int asked = cluster.leader();
    ASSERT_TRUE(cluster.await<void>(raft(asked).remove_peer(test_peer(gone))));
    ASSERT_TRUE(cluster.run_until([&] { return !raft(gone).status().running; }));
    cluster.crash(gone);
    EXPECT_TRUE(all_say({}));
    for (int number = 0; number < 4; ++number)
        EXPECT_FALSE(number != gone && has_row(number, gone)) << number;
    auto told = tell(asked, gone, kCordoned);
    ASSERT_FALSE(told);
    EXPECT_EQ(told.error().kind, Kind::not_found);
    // It comes back as somebody of whom nothing was told.
    ASSERT_TRUE(cluster.run_until([&] { return cluster.is_down(gone); }));
    cluster.crash_and_wipe(gone);
    cluster.peer(gone).options.init_peerset.clear();
    cluster.peer(gone).options.staging = true;
    cluster.start(gone);
    ASSERT_TRUE(cluster.await<void>(raft(cluster.leader()).add_peer(test_peer(gone))));
    ASSERT_TRUE(cluster.await<void>(raft(gone).wait_ready(seconds(30))));
    EXPECT_TRUE(all_say({}));
}

TEST_F(RaftCordon, without_a_quorum_nothing_is_told) {
    found(3);
    const int alone = cluster.leader();
    for (int other = 0; other < 3; ++other)
        if (other != alone) cluster.crash(other);
    auto told = tell(alone, alone, kCordoned);
    ASSERT_FALSE(told);
    EXPECT_TRUE(told.error().kind == Kind::unknown_outcome ||
                told.error().kind == Kind::unavailable)
        << told.error().text;
    EXPECT_EQ(raft(alone).cordon(test_peer(alone)), Cordon{});
}

/// What was acknowledged last holds, whatever happened to the leaders in between: a word that is
/// said again to the next leader must not overtake a later one.
TEST(raft_cordon, the_last_acknowledged_word_holds_over_changes_of_leader) {
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
        SimCluster cluster(seed, short_log());
        cluster.add_founders(3);
        cluster.start_all();
        ASSERT_TRUE(cluster.run_until([&] { return cluster.leader() >= 0; }));
        std::optional<Time> last;
        int acknowledged = 0;
        for (int i = 1; i <= 25; ++i) {
            const int lead = cluster.leader();
            const int at = lead < 0 ? static_cast<int>(seed % 3) : (lead + 1 + i % 2) % 3;
            if (!cluster.peer(at).up) continue;
            const Cordon cordon{Cordon::Kind::draining, false, Time(seconds(i))};
            auto told =
                cluster.begin<void>(cluster.peer(at).raft->set_cordon(test_peer(0), cordon));
            cluster.world.run_for(std::chrono::milliseconds(cluster.world.random_u64() % 20));
            const bool crashed = lead >= 0 && lead != at && i % 3 == 0;
            if (crashed) cluster.crash(lead);
            ASSERT_TRUE(cluster.run_until([&] { return told->has_value(); }));
            if ((*told)->has_value()) {
                last = cordon.since;
                ++acknowledged;
            } else {
                EXPECT_NE((*told)->error().kind, Kind::conflict) << (*told)->error().text;
                last.reset();  // it may come, or not
            }
            if (!crashed) continue;
            ASSERT_TRUE(cluster.run_until([&] { return cluster.is_down(lead); }));
            cluster.start(lead);
        }
        EXPECT_GT(acknowledged, 20) << seed;
        ASSERT_EQ(cluster.settle(), "") << seed;
        const auto cordon = cluster.peer(0).raft->cordon(test_peer(0));
        EXPECT_EQ(cordon.since, last.value_or(cordon.since)) << seed;
        for (int number = 1; number < 3; ++number)
            EXPECT_EQ(cluster.peer(number).raft->cordon(test_peer(0)), cordon) << seed;
    }
}

}  // namespace
}  // namespace ipfscluster::sim
