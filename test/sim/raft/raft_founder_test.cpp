// Who founds a cluster, who waits, and what becomes of a founder that lost its data.
#include <gtest/gtest.h>

#include <algorithm>

#include "sim/raft/raft_fixture.hpp"

namespace ipfscluster::sim {
namespace {

using std::chrono::seconds;

class RaftFounders : public RaftFixture {
 protected:
    RaftFounders() : RaftFixture(7) {}
    /// A joiner becomes a voter beside the founder.
    void take_in(int joiner) {
        cluster.add_joiner(joiner);
        cluster.start(joiner);
        ASSERT_TRUE(cluster.run_until([&] { return cluster.peer(joiner).raft->status().running; }));
        auto added = cluster.await<void>(cluster.peer(0).raft->add_peer(test_peer(joiner)));
        ASSERT_TRUE(added) << added.error().text;
        ASSERT_TRUE(cluster.run_until([&] { return is_voter(0, joiner); }));
    }
};

TEST_F(RaftFounders, a_founder_that_lost_its_disk_returns_as_somebody_new) {
    found(3);
    commit(0, 10);
    const int lost = follower();
    const auto old_id = cluster.peer(lost).raft->status().engine.id;
    cluster.crash_and_wipe(lost);
    commit(cluster.leader(), 10);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.is_down(lost); }));
    cluster.start(lost);
    ASSERT_TRUE(cluster.run_until([&] {
        return cluster.peer(lost).up && cluster.leader() >= 0 && is_voter(cluster.leader(), lost) &&
               cluster.peer(lost).raft->status().engine.voter;
    }));
    EXPECT_NE(cluster.peer(lost).raft->status().engine.id, old_id);
    const auto& log = cluster.peer(cluster.leader()).raft->log();
    EXPECT_EQ(log.members().size(), 3u);
    EXPECT_TRUE(log.nodes().at(old_id).removed);
    ASSERT_EQ(cluster.settle(), "");
    EXPECT_EQ(cluster.acknowledged(), 20u);
    EXPECT_EQ(cluster.check_agreement(), "");
}

TEST_F(RaftFounders, a_lone_founder_that_lost_its_disk_gives_slower_members_time) {
    found(1);
    for (int joiner : {1, 2}) ASSERT_NO_FATAL_FAILURE(take_in(joiner));
    commit(0, 10);
    ASSERT_EQ(cluster.settle(), "");
    cluster.crash_and_wipe(0);
    for (int joiner : {1, 2}) cluster.crash(joiner);
    ASSERT_TRUE(cluster.run_until(
        [&] { return cluster.is_down(0) && cluster.is_down(1) && cluster.is_down(2); }));
    cluster.start(0);
    cluster.world.run_for(seconds(5));
    EXPECT_FALSE(cluster.peer(0).raft->status().running) << "it must not found a second cluster";
    cluster.start(1);
    cluster.start(2);
    ASSERT_TRUE(cluster.run_until([&] {
        const int lead = cluster.leader();
        return lead > 0 && is_voter(lead, 0) && cluster.peer(0).raft->status().engine.voter;
    }));
    ASSERT_EQ(cluster.settle(), "");
    EXPECT_EQ(cluster.check_agreement(), "");
    EXPECT_EQ(cluster.acknowledged(), 10u);
}

class LoneFounder : public RaftFounders {
 protected:
    /// A founder that others have joined loses its disk while all are down.
    void lose_the_founder(std::vector<int> joiners) {
        found(1);
        for (const int joiner : joiners) {
            ASSERT_NO_FATAL_FAILURE(take_in(joiner));
            cluster.peer(0).options.remembered.push_back(test_peer(joiner));
        }
        commit(0, 10);
        ASSERT_EQ(cluster.settle(), "");
        old_cluster = cluster.peer(0).raft->log().cluster_id();
        cluster.crash_and_wipe(0);
        for (const int joiner : joiners) cluster.crash(joiner);
        ASSERT_TRUE(cluster.run_until([&] {
            return cluster.is_down(0) &&
                   std::all_of(joiners.begin(), joiners.end(),
                               [&](int joiner) { return cluster.is_down(joiner); });
        }));
    }
    bool runs(int number) { return cluster.peer(number).raft->status().running; }
    std::string hindrance() { return cluster.peer(0).raft->hindrance(); }

    Bytes old_cluster;
};

TEST_F(LoneFounder, waits_for_the_members_it_remembers_and_says_so) {
    lose_the_founder({1, 2});
    cluster.start(0);
    cluster.world.run_for(seconds(5));
    EXPECT_EQ(hindrance(), "") << "the others may be starting too";
    cluster.world.run_for(std::chrono::minutes(30));
    EXPECT_FALSE(runs(0)) << "it must not found a second cluster";
    EXPECT_NE(hindrance().find("remembers 2 other members"), std::string::npos) << hindrance();
    EXPECT_NE(hindrance().find("--found-alone"), std::string::npos) << hindrance();
    const auto before = cluster.world.steady_now();
    cluster.submit_pin(0);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.pending() == 0; }));
    EXPECT_EQ(cluster.records().rbegin()->second.outcome, SimCluster::Outcome::refused);
    EXPECT_EQ(cluster.records().rbegin()->second.error, hindrance());
    EXPECT_LT(cluster.world.steady_now() - before, seconds(1));
    cluster.start(1);
    cluster.start(2);
    ASSERT_TRUE(cluster.run_until([&] {
        const int lead = cluster.leader();
        return lead > 0 && is_voter(lead, 0) && cluster.peer(0).raft->status().engine.voter;
    }));
    EXPECT_EQ(hindrance(), "");
    ASSERT_EQ(cluster.settle(), "");
    EXPECT_EQ(cluster.check_agreement(), "");
    EXPECT_EQ(cluster.acknowledged(), 10u);
    EXPECT_EQ(cluster.peer(0).raft->log().cluster_id(), old_cluster);
}

TEST_F(LoneFounder, a_member_that_lost_its_data_too_is_no_answer) {
    lose_the_founder({1});
    cluster.peer(1).disk = std::make_shared<storage::MemoryDisk>();
    cluster.peer(1).floor = std::make_shared<MemoryFloorFile>();
    cluster.peer(1).options.staging = false;
    cluster.peer(1).options.remembered = {test_peer(0), test_peer(1)};
    cluster.start(0);
    cluster.start(1);
    cluster.world.run_for(std::chrono::minutes(5));
    for (const int number : {0, 1}) {
        EXPECT_FALSE(runs(number));
        EXPECT_NE(cluster.peer(number).raft->hindrance().find("1 other member "),
                  std::string::npos);
    }
}

TEST_F(LoneFounder, told_to_found_anew_makes_a_cluster_that_the_old_members_are_no_part_of) {
    lose_the_founder({1, 2});
    cluster.peer(0).options.found_alone = true;
    cluster.start(0);
    ASSERT_TRUE(cluster.run_until([&] { return runs(0) && cluster.leader() == 0; }));
    EXPECT_NE(cluster.peer(0).raft->log().cluster_id(), old_cluster);
    commit(0, 1);
    cluster.start(1);
    cluster.start(2);
    ASSERT_TRUE(cluster.run_until([&] { return runs(1) && runs(2); }));
    for (const int number : {1, 2}) {
        raft::Hello hello;
        hello.node = cluster.peer(number).raft->status().engine.id;
        hello.cluster_id = old_cluster;
        const auto host = cluster.network.add_host(test_peer(90 + number));
        host->add_addresses(test_peer(0), {cluster.network.address_of(test_peer(0))});
        auto greeted = cluster.await<raft::Greeted>(
            raft::greet(cluster.world, *host, test_peer(0), hello, seconds(5)));
        ASSERT_FALSE(greeted);
        EXPECT_EQ(greeted.error().kind, Kind::denied);
        EXPECT_NE(greeted.error().text.find("another cluster"), std::string::npos)
            << greeted.error().text;
    }
    // With data at hand neither the flag nor the memory changes anything.
    const auto own = cluster.peer(0).raft->log().cluster_id();
    cluster.crash(0);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.is_down(0); }));
    cluster.start(0);
    ASSERT_TRUE(cluster.run_until([&] { return runs(0); }));
    EXPECT_EQ(cluster.peer(0).raft->log().cluster_id(), own);
}

TEST_F(LoneFounder, told_to_found_anew_joins_where_a_member_knows_it) {
    lose_the_founder({1, 2});
    cluster.peer(0).options.found_alone = true;
    cluster.start(1);
    cluster.start(2);
    cluster.start(0);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.peer(0).raft->status().engine.voter; }));
    EXPECT_EQ(cluster.peer(0).raft->log().cluster_id(), old_cluster);
}

TEST_F(LoneFounder, who_was_to_join_founds_nothing_by_itself) {
    found(1);
    cluster.add_joiner(1);
    auto& joiner = cluster.peer(1);
    // Killed before it was taken in, and started again without --bootstrap; with and without an
    // identity of that first start.
    joiner.options.staging = false;
    joiner.options.joining = true;
    for (int life = 0; life < 2; ++life) {
        cluster.start(1);
        cluster.world.run_for(std::chrono::minutes(5));
        EXPECT_TRUE(joiner.raft->log().cluster_id().empty()) << life;
        EXPECT_NE(joiner.raft->hindrance().find("in no cluster yet"), std::string::npos)
            << joiner.raft->hindrance();
        cluster.crash(1);
        ASSERT_TRUE(cluster.run_until([&] { return cluster.is_down(1); }));
    }
    cluster.start(1);
    ASSERT_TRUE(cluster.run_until([&] { return runs(1); }));
    auto added = cluster.await<void>(cluster.peer(0).raft->add_peer(test_peer(1)));
    ASSERT_TRUE(added) << added.error().text;
    ASSERT_TRUE(cluster.run_until([&] { return is_voter(0, 1); }));
    EXPECT_TRUE(cluster.run_until([&] { return joiner.raft->hindrance().empty(); }));
}

TEST_F(LoneFounder, who_was_to_join_founds_when_told_to) {
    found(1);
    cluster.add_joiner(1);
    auto& joiner = cluster.peer(1);
    cluster.start(1);
    ASSERT_TRUE(cluster.run_until([&] { return runs(1); }));
    const auto waiting = joiner.raft->status().engine.id;
    cluster.crash(1);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.is_down(1); }));
    joiner.options.staging = false;
    joiner.options.joining = joiner.options.found_alone = true;
    cluster.start(1);
    ASSERT_TRUE(cluster.run_until([&] { return runs(1) && joiner.raft->may_act(); }));
    EXPECT_NE(joiner.raft->status().engine.id, waiting);
    EXPECT_NE(joiner.raft->log().cluster_id(), cluster.peer(0).raft->log().cluster_id());
}

TEST_F(LoneFounder, does_not_found_with_peers_that_have_another_peerset) {
    cluster.add_founders(2);
    cluster.peer(0).options.init_peerset = {};
    cluster.peer(0).options.remembered = {test_peer(5)};
    cluster.start_all();
    cluster.world.run_for(std::chrono::minutes(2));
    EXPECT_FALSE(runs(0)) << "it waits for the member it remembers";
    EXPECT_FALSE(runs(1)) << "it has asked a peer that is no founder of its cluster";
}

TEST_F(RaftFounders, founders_wait_for_each_other) {
    cluster.add_founders(3);
    cluster.start(0);
    cluster.start(1);
    cluster.world.run_for(seconds(20));
    EXPECT_FALSE(cluster.peer(0).raft->status().running);
    EXPECT_EQ(cluster.leader(), -1);
    cluster.start(2);
    EXPECT_TRUE(cluster.run_until([&] { return cluster.leader() >= 0; }));
}

TEST_F(RaftFounders, an_operation_at_a_founder_that_waits_ends_with_a_clear_error) {
    cluster.add_founders(2);
    cluster.start(0);
    cluster.world.run_for(seconds(2));
    cluster.submit_pin(0);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.pending() == 0; }, seconds(30)));
    EXPECT_EQ(cluster.records().at(1).outcome, SimCluster::Outcome::refused);
    EXPECT_NE(cluster.records().at(1).error.find("quorum"), std::string::npos)
        << cluster.records().at(1).error;
    cluster.start(1);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.leader() >= 0; }));
    EXPECT_FALSE(cluster.peer(0).state->get(cluster.records().at(1).cid).value())
        << "refused means that it never happens";
}

TEST_F(RaftFounders, founders_with_different_peersets_do_not_mix) {
    cluster.add_founders(2);
    cluster.peer(1).options.init_peerset = {test_peer(0), test_peer(1), test_peer(5)};
    cluster.start_all();
    cluster.world.run_for(seconds(20));
    EXPECT_EQ(cluster.leader(), -1);
    EXPECT_FALSE(cluster.peer(0).raft->status().running);
    auto added = cluster.await<void>(cluster.peer(0).raft->add_peer(test_peer(1)));
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().kind, Kind::unavailable);
}

TEST_F(RaftFounders, a_peer_of_another_cluster_is_refused_by_name) {
    found(1);
    cluster.add_joiner(1);
    cluster.peer(1).options.staging = false;
    cluster.start(1);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.peer(1).raft->status().running; }));
    auto added = cluster.await<void>(cluster.peer(0).raft->add_peer(test_peer(1)));
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().kind, Kind::denied);
    EXPECT_NE(added.error().text.find("another cluster"), std::string::npos) << added.error().text;
}

}  // namespace
}  // namespace ipfscluster::sim
