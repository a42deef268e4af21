// Peers of different builds in one cluster: upgrades that roll, the way back, and who is refused.
#include <gtest/gtest.h>

#include <set>

#include "base/proto.hpp"
#include "codec/pin_proto.hpp"
#include "sim/raft/sim_cluster.hpp"
#include "state/state.hpp"

namespace ipfscluster::sim {
namespace {

using component::Cordon;
using std::chrono::seconds;

const Cordon kDraining{Cordon::Kind::draining, false, Time(seconds(6))};

class RaftLevel : public testing::Test {
 protected:
    /// Founders whose builds know this level.
    void found(int count, std::uint32_t level) {
        cluster.add_founders(count);
        for (int number = 0; number < count; ++number)
            cluster.peer(number).options.feature_level = level;
        cluster.start_all();
        ASSERT_TRUE(cluster.run_until([&] { return cluster.leader() >= 0; }));
    }
    raft::RaftConsensus& raft(int number) { return *cluster.peer(number).raft; }
    std::uint32_t level(int number) { return raft(number).status().feature_level; }
    bool all_have(std::uint32_t wanted, Duration limit = seconds(20)) {
        return cluster.run_until(
            [&] {
                for (int number = 0; number < cluster.size(); ++number)
                    if (cluster.peer(number).up && level(number) != wanted) return false;
                return true;
            },
            limit);
    }
    /// Pins at every peer that is up; nobody waits for them.
    void load(int count) {
        for (int i = 0; i < count; ++i)
            if (cluster.peer(i % 3).up) cluster.submit_pin(i % 3);
    }
    void start_as(int number, std::uint32_t build) {
        ASSERT_TRUE(cluster.run_until([&] { return cluster.is_down(number); }));
        cluster.peer(number).options.feature_level = build;
        cluster.start(number);
    }
    /// Another build takes the peer's place while clients go on.
    void change_build(int number, std::uint32_t build) {
        load(9);
        cluster.crash(number);
        load(6);
        start_as(number, build);
        load(6);
        auto ready = cluster.await<void>(raft(number).wait_ready(seconds(30)));
        ASSERT_TRUE(ready) << ready.error().text;
        ASSERT_TRUE(cluster.run_until([&] { return cluster.pending() == 0; }));
    }
    Result<> tell(int at, int about) {
        return cluster.await<void>(raft(at).set_cordon(test_peer(about), kDraining));
    }
    void expect_all_well() {
        ASSERT_EQ(cluster.settle(), "");
        EXPECT_EQ(cluster.check_agreement(), "");
    }
    SimCluster cluster{31, short_log()};
};

TEST_F(RaftLevel, a_cluster_begins_with_the_founding_level_on_every_disk) {
    found(3, state::kFeatureLevel);
    for (int number = 0; number < 3; ++number) {
        EXPECT_GE(level(number), state::kFoundingFeatureLevel);
        auto row = cluster.peer(number).store->get(storage::Family::raft_meta, "feature_level");
        EXPECT_TRUE(row && row.value() && row.value()->size() == 4) << number;
    }
}

TEST_F(RaftLevel, an_upgrade_rolls_under_load_and_the_level_rises_behind_the_last_peer) {
    found(3, 0);
    for (int number = 0; number < 3; ++number) {
        EXPECT_TRUE(all_have(0)) << "before peer " << number;
        if (number > 0) {
            // What only new builds understand is not proposed, and who keeps it back is named.
            auto told = tell(0, 1);
            ASSERT_FALSE(told);
            EXPECT_EQ(told.error().kind, Kind::unsupported);
            EXPECT_NE(
                told.error().text.find(test_peer(2).to_string() + "'s build knows levels up to 0"),
                std::string::npos)
                << told.error().text;
            EXPECT_EQ(told.error().text.find(test_peer(1).to_string()) == std::string::npos,
                      number == 2)
                << told.error().text;
        }
        change_build(number, 1);
    }
    EXPECT_TRUE(all_have(1));
    EXPECT_TRUE(tell(1, 2));
    EXPECT_GT(cluster.acknowledged(), 40u);
    expect_all_well();
    for (int number = 0; number < 3; ++number) {
        EXPECT_EQ(level(number), 1u);
        EXPECT_EQ(raft(number).cordon(test_peer(2)), kDraining);
    }
}

TEST_F(RaftLevel, a_rolling_upgrade_goes_well_whoever_leads_and_whatever_breaks) {
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        SimCluster many(seed, short_log());
        many.add_founders(3);
        for (int number = 0; number < 3; ++number) many.peer(number).options.feature_level = 0;
        many.start_all();
        ASSERT_TRUE(many.run_until([&] { return many.leader() >= 0; }));
        std::set<int> left{0, 1, 2};
        while (!left.empty()) {
            const auto next =
                std::next(left.begin(), static_cast<long>(many.world.random_u64() % left.size()));
            const int number = *next;
            left.erase(next);
            for (int i = 0; i < 6; ++i) many.submit_pin(i % 3);
            many.crash(number);
            ASSERT_TRUE(many.run_until([&] { return many.is_down(number); }));
            many.peer(number).options.feature_level = 1;
            many.start(number);
            many.world.run_for(std::chrono::milliseconds(many.world.random_u64() % 3000));
            for (int other = 0; other < 3; ++other)
                EXPECT_FALSE(!left.empty() && many.peer(other).raft->status().feature_level > 0)
                    << seed;
            // The link to one of them breaks, perhaps at the very moment of the entry.
            const int lead = many.leader();
            if (lead >= 0) many.network.break_link(test_peer(lead), test_peer((lead + 1) % 3));
            many.world.run_for(std::chrono::milliseconds(many.world.random_u64() % 1500));
            many.network.heal_all();
        }
        ASSERT_EQ(many.settle(), "") << seed;
        ASSERT_TRUE(many.run_until([&] {
            for (int number = 0; number < 3; ++number)
                if (many.peer(number).raft->status().feature_level != 1) return false;
            return true;
        })) << seed;
        EXPECT_EQ(many.check_agreement(), "") << seed;
    }
}

TEST_F(RaftLevel, before_the_level_rises_there_is_a_way_back) {
    found(3, 0);
    change_build(0, 1);
    change_build(1, 1);
    // One goes back and the last comes forward: two announced the level at some time, all three
    // never did.
    change_build(0, 0);
    change_build(2, 1);
    cluster.world.run_for(seconds(20));
    EXPECT_TRUE(all_have(0));
    change_build(1, 0);
    change_build(2, 0);
    EXPECT_TRUE(all_have(0));
    expect_all_well();
}

TEST_F(RaftLevel, who_is_down_has_announced_nothing) {
    found(3, 0);
    change_build(0, 1);
    change_build(1, 1);
    cluster.crash(2);
    cluster.world.run_for(seconds(30));
    EXPECT_TRUE(all_have(0));
    auto told = tell(0, 1);
    ASSERT_FALSE(told);
    EXPECT_EQ(told.error().kind, Kind::unsupported);
    EXPECT_NE(told.error().text.find(test_peer(2).to_string() + " does not answer"),
              std::string::npos)
        << told.error().text;
    start_as(2, 1);
    EXPECT_TRUE(all_have(1));
    expect_all_well();
}

TEST_F(RaftLevel, an_earlier_build_does_not_start_on_a_folder_above_its_level) {
    found(3, 1);
    load(9);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.pending() == 0; }));
    ASSERT_TRUE(all_have(1));
    cluster.crash(1);
    start_as(1, 0);
    ASSERT_TRUE(cluster.run_until([&] { return !cluster.problems().empty(); }));
    EXPECT_NE(cluster.problems().find("feature level 1, this build knows levels up to 0"),
              std::string::npos)
        << cluster.problems();
    EXPECT_NE(cluster.problems().find("Nothing was changed"), std::string::npos);
}

TEST_F(RaftLevel, a_build_that_meets_an_entry_above_its_level_stops_and_loses_nothing) {
    found(3, 0);
    change_build(0, 1);
    change_build(1, 1);
    const int late = 2;
    cluster.crash(late);
    start_as(late, 1);
    // It announced the level, went away before the entry reached it and comes back as it was.
    ASSERT_TRUE(cluster.run_until([&] { return level(0) == 1 || level(1) == 1; }));
    cluster.crash(late);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.is_down(late); }));
    if (cluster.peer(late).raft->log().facts().feature_level() == 1)
        GTEST_SKIP() << "the entry was there";
    start_as(late, 0);
    ASSERT_TRUE(cluster.run_until([&] { return !raft(late).status().running; }));
    EXPECT_TRUE(cluster.run_until([&] { return !cluster.problems().empty(); }));
    EXPECT_NE(cluster.problems().find("needs feature level 1, this build knows levels up to 0"),
              std::string::npos)
        << cluster.problems();
    load(9);
    cluster.crash(late);
    start_as(late, 1);
    ASSERT_TRUE(cluster.await<void>(raft(late).wait_ready(seconds(30))));
    EXPECT_TRUE(all_have(1));
    ASSERT_TRUE(cluster.run_until([&] { return cluster.pending() == 0; }));
    EXPECT_EQ(cluster.check_agreement(), "");
}

TEST_F(RaftLevel, a_newcomer_below_the_level_is_refused_by_name) {
    found(3, 1);
    cluster.add_joiner(3);
    cluster.peer(3).options.feature_level = 0;
    cluster.start(3);
    for (const int at : {cluster.leader(), (cluster.leader() + 1) % 3}) {
        auto added = cluster.await<void>(raft(at).add_peer(test_peer(3)));
        ASSERT_FALSE(added);
        EXPECT_EQ(added.error().kind, Kind::conflict);
        EXPECT_NE(added.error().text.find("its build knows feature levels up to 0, this cluster "
                                          "has level 1"),
                  std::string::npos)
            << added.error().text;
        EXPECT_NE(added.error().text.find(test_peer(3).to_string()), std::string::npos);
    }
    EXPECT_EQ(raft(0).peers().size(), 3u);
    cluster.crash(3);
    start_as(3, 1);
    ASSERT_TRUE(cluster.await<void>(raft(0).add_peer(test_peer(3))));
    ASSERT_TRUE(cluster.await<void>(raft(3).wait_ready(seconds(30))));
    EXPECT_EQ(level(3), 1u) << "the snapshot brought it";
    expect_all_well();
}

TEST_F(RaftLevel, who_lost_its_data_does_not_come_back_with_a_build_below_the_level) {
    found(3, 1);
    const int lost = (cluster.leader() + 1) % 3;
    cluster.crash_and_wipe(lost);
    start_as(lost, 0);
    ASSERT_TRUE(cluster.run_until([&] { return !raft(lost).hindrance().empty(); }));
    EXPECT_NE(raft(lost).hindrance().find("its build knows feature levels up to 0"),
              std::string::npos)
        << raft(lost).hindrance();
    cluster.crash(lost);
    start_as(lost, 1);
    ASSERT_TRUE(cluster.await<void>(raft(lost).wait_ready(seconds(60))));
    expect_all_well();
}

TEST_F(RaftLevel, while_a_newcomer_of_an_earlier_build_is_taken_in_the_level_waits) {
    found(3, 0);
    cluster.add_joiner(3);
    cluster.peer(3).options.feature_level = 0;
    cluster.start(3);
    ASSERT_TRUE(cluster.await<void>(raft(0).add_peer(test_peer(3))));
    for (int number = 0; number < 3; ++number) change_build(number, 1);
    cluster.world.run_for(seconds(20));
    EXPECT_TRUE(all_have(0)) << "the fourth does not know it";
    change_build(3, 1);
    EXPECT_TRUE(all_have(1));
    expect_all_well();
}

/// As a follower hands an entry to the leader: eraftpb.Message of type MsgPropose.
Bytes proposal(raft::NodeId from, raft::NodeId to, BytesView data) {
    Bytes entry;
    put_proto_bytes(entry, 4, data);
    Bytes out;
    put_proto_varint(out, 1, 2);
    put_proto_varint(out, 2, to);
    put_proto_varint(out, 3, from);
    put_proto_bytes(out, 7, entry);
    return out;
}

Async<> say_as(net::Host* host, PeerId leader, raft::Hello hello, Bytes message) {
    std::vector<std::string> protocols(1, raft::kRaftProtocol);
    ICL_CO_TRY(auto stream, co_await host->open(leader, std::move(protocols), seconds(5)));
    raft::FrameStream frames(std::move(stream));
    ICL_CO_TRY(co_await frames.write(raft::encode_frame(raft::FrameType::hello, encode(hello))));
    ICL_CO_TRY(auto reply, co_await frames.expect(raft::FrameType::hello_reply));
    static_cast<void>(reply);
    ICL_CO_TRY(
        co_await frames.write(raft::encode_frame(raft::FrameType::message, std::move(message))));
    ICL_CO_TRY(co_await frames.close_write());
    auto end = co_await frames.read();
    static_cast<void>(end);
    co_return ok();
}

TEST_F(RaftLevel, what_a_newer_build_put_into_a_pin_survives_on_every_peer) {
    found(3, 1);
    const int lead = cluster.leader();
    const int newer = (lead + 1) % 3;
    const raft::Hello hello{raft::kWireVersion,
                            raft::Purpose::messages,
                            raft(newer).status().engine.id,
                            raft(newer).log().cluster_id(),
                            raft(lead).status().engine.id,
                            1};
    cluster.crash(newer);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.is_down(newer); }));
    // A peer of a newer build takes its place and proposes.
    state::LoggedOperation operation;
    operation.pin.cid = test_cid(1000);
    operation.pin.options.replication_min = operation.pin.options.replication_max = -1;
    operation.pin_bytes = codec::encode_pin(operation.pin);
    put_proto_bytes(operation.pin_bytes, 99, "of a newer build");
    {
        const auto host = cluster.network.add_host(test_peer(newer));
        host->add_addresses(test_peer(lead), {cluster.network.address_of(test_peer(lead))});
        auto message = proposal(hello.node, hello.wanted, state::encode_operations({operation}));
        auto said =
            cluster.await<void>(say_as(host.get(), test_peer(lead), hello, std::move(message)));
        ASSERT_TRUE(said) << said.error().text;
    }
    const auto row_of = [&](int number) -> Bytes {
        auto rows = cluster.peer(number).store->iterate(storage::Family::pins, {}, {});
        while (true) {
            auto more = rows->next();
            if (!more || !more.value()) return {};
            if (rows->key().ends_with(operation.pin.cid.bytes()))
                return Bytes(rows->value().substr(8));
        }
    };
    ASSERT_TRUE(cluster.run_until([&] { return !row_of(lead).empty(); }));
    const auto commit = [&](int count) {
        for (int i = 0; i < count; ++i) {
            cluster.submit_pin(lead);
            ASSERT_TRUE(cluster.run_until([&] { return cluster.pending() == 0; }));
        }
    };
    // One learns it from the log, one from a snapshot.
    cluster.start(newer);
    ASSERT_TRUE(cluster.run_until([&] { return !row_of(newer).empty(); }));
    commit(60);
    cluster.add_joiner(3);
    cluster.start(3);
    ASSERT_TRUE(cluster.await<void>(raft(lead).add_peer(test_peer(3))));
    ASSERT_TRUE(cluster.await<void>(raft(3).wait_ready(seconds(30))));
    EXPECT_GT(raft(3).log().compacted().index, 30u);
    for (int number = 0; number < 4; ++number) cluster.crash(number);
    ASSERT_EQ(cluster.settle(), "");
    for (int number = 0; number < 4; ++number) {
        EXPECT_EQ(row_of(number), operation.pin_bytes) << number;
        auto stored = cluster.peer(number).state->get(operation.pin.cid);
        ASSERT_TRUE(stored && stored.value()) << number;
        EXPECT_EQ(stored.value()->pin, operation.pin) << number;
    }
    EXPECT_EQ(cluster.check_agreement(), "");
}

}  // namespace
}  // namespace ipfscluster::sim
