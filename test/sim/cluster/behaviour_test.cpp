// What a user sees of several peers, step by step.
#include <gtest/gtest.h>

#include <algorithm>

#include "support/pins.hpp"
#include "support/sim_cluster.hpp"
#include "support/sim_kinds.hpp"

namespace ipfscluster::test {
namespace {

using namespace std::chrono_literals;
using Outcome = SimCluster::Outcome;

/// Three peers that have found each other.
struct Behaviour {
    explicit Behaviour(SimPeerOptions options) : cluster(1, 3, std::move(options)) {
        cluster.start_all();
        EXPECT_EQ(cluster.settle(), "");
    }
    cluster::Cluster& api(int number) { return cluster.peer(number).life().cluster; }
    PeerId id(int number) { return cluster.peer(number).id; }
    Result<Pin> pin(int at, Pin wish) {
        return cluster.await<Pin>(at, api(at).pin(std::move(wish)));
    }
    static Pin wish(int item, int min, int max) {
        Pin out;
        out.cid = cid(item);
        out.options.replication_min = min;
        out.options.replication_max = max;
        return out;
    }
    Outcome outcome(int operation) {
        return cluster.operations()[static_cast<std::size_t>(operation)].outcome;
    }
    std::size_t answered() { return cluster.operations().size() - cluster.count(Outcome::pending); }

    SimCluster cluster;
};

/// With each kind of consensus.
struct ClusterBehaviour : ::testing::TestWithParam<SimKind>, Behaviour {
    ClusterBehaviour() : Behaviour(options_with(GetParam())) {}
};
SIM_WITH_EACH_KIND(ClusterBehaviour);

/// What Raft alone promises: a majority, and reads that see all that was acknowledged.
struct AgreedBehaviour : ::testing::Test, Behaviour {
    AgreedBehaviour() : Behaviour({}) {}
};

TEST_P(ClusterBehaviour, pins_of_one_cid_at_once_through_every_peer_leave_one_of_them_everywhere) {
    for (int round = 0; round < 5; ++round)
        for (int number = 0; number < 3; ++number)
            cluster.submit_pin(number, cid(1), 1, 1 + round % 2);
    ASSERT_EQ(cluster.settle(), "");
    EXPECT_GT(cluster.count(Outcome::acknowledged), 0u);
    EXPECT_EQ(cluster.count(Outcome::unknown), 0u);
}

TEST_P(ClusterBehaviour, a_burst_is_spread_over_equal_peers) {
    for (int i = 0; i < 60; ++i) cluster.submit_pin(0, cid(i), 1, 1);
    ASSERT_EQ(cluster.settle(), "");
    for (int number = 0; number < 3; ++number)
        EXPECT_EQ(cluster.peer(number).ipfs.held.size(), 20u) << number;
}

TEST_F(AgreedBehaviour, a_peer_that_is_cut_off_acknowledges_nothing_while_the_others_go_on) {
    cluster.network.partition({id(0)}, {id(1), id(2)});
    const int alone = cluster.submit_pin(0, cid(1), -1, -1);
    const int alone_too = cluster.submit_pin(0, cid(2), 1, 1);
    cluster.world.run_for(4s);
    const int others = cluster.submit_pin(1, cid(3), -1, -1);
    ASSERT_TRUE(cluster.world.run_until([&] { return answered() == 3; }, 30s))
        << "each wait has a deadline";
    EXPECT_NE(outcome(alone), Outcome::acknowledged);
    EXPECT_NE(outcome(alone_too), Outcome::acknowledged);
    EXPECT_EQ(outcome(others), Outcome::acknowledged);
    const auto& text = cluster.operations()[static_cast<std::size_t>(alone)].error;
    EXPECT_NE(text.find(cid(1).to_string()), std::string::npos) << text;
    EXPECT_EQ(cluster.settle(), "");
}

TEST_P(ClusterBehaviour, too_few_live_peers_refuse_a_pin_and_say_so) {
    auto refused = pin(0, wish(1, 4, 5));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Kind::unavailable);
    EXPECT_NE(refused.error().text.find(
                  "not enough peers to allocate CID. Needed at least: 4. Wanted at most: 5. "
                  "Available candidates: 3"),
              std::string::npos)
        << refused.error().text;
}

TEST_P(ClusterBehaviour, a_pin_expires_after_its_time_and_not_before) {
    auto expiring = wish(1, -1, -1);
    expiring.options.expire_at = cluster.world.system_now() + 20s;
    ASSERT_TRUE(pin(1, expiring));
    cluster.world.run_for(18s);
    EXPECT_TRUE(api(2).pin_get(cid(1)));
    cluster.world.run_for(10s);
    const auto gone = api(2).pin_get(cid(1));
    ASSERT_FALSE(gone);
    EXPECT_EQ(gone.error().text, component::kPinNotFound);
    for (int number = 0; number < 3; ++number) EXPECT_TRUE(cluster.peer(number).ipfs.held.empty());
}

struct ClusterExpiry : ::testing::TestWithParam<SimKind> {};
SIM_WITH_EACH_KIND(ClusterExpiry);

TEST_P(ClusterExpiry, more_pins_than_one_round_takes_are_removed_without_waiting_for_the_next) {
    auto options = options_with(GetParam());
    options.cluster.state_sync_interval = 1h;
    SimCluster cluster(1, 1, options);
    cluster.start_all();
    ASSERT_EQ(cluster.settle(), "");
    auto& life = cluster.peer(0).life();
    Pin expiring;
    expiring.options.replication_min = expiring.options.replication_max = -1;
    expiring.options.expire_at = cluster.world.system_now() + 30min;
    constexpr int kPins = 1200;
    for (int item = 0; item < kPins; ++item) {
        expiring.cid = cid(item);
        cluster.request<Pin>(0, life.cluster.pin(expiring));
    }
    ASSERT_TRUE(cluster.world.run_until([&] { return life.state.count() == kPins; }, 1min));
    EXPECT_TRUE(cluster.world.run_until([&] { return life.state.count() == 0; }, 70min))
        << life.state.count() << " expired pins are left";
}

TEST_P(ClusterBehaviour, an_expiry_is_off_when_the_pin_was_renewed) {
    auto expiring = wish(1, -1, -1);
    expiring.options.expire_at = cluster.world.system_now() + 10s;
    ASSERT_TRUE(pin(1, expiring));
    cluster.world.run_for(5s);
    ASSERT_TRUE(pin(2, wish(1, -1, -1)));
    cluster.world.run_for(60s);
    EXPECT_TRUE(api(0).pin_get(cid(1)));
}

TEST_P(ClusterBehaviour, the_status_of_a_cid_says_what_each_peer_does) {
    auto pinned = pin(0, wish(1, 2, 2));
    ASSERT_TRUE(pinned);
    ASSERT_EQ(pinned.value().allocations.size(), 2u);
    cluster.world.run_for(1s);
    for (int at = 0; at < 3; ++at) {
        const auto status = cluster.await<GlobalPinInfo>(at, api(at).status(cid(1)));
        ASSERT_TRUE(status) << status.error().text;
        ASSERT_EQ(status.value().peer_map.size(), 3u);
        for (int number = 0; number < 3; ++number)
            EXPECT_EQ(status.value().peer_map.at(id(number)).status,
                      pinned.value().allocated_to(id(number)) ? TrackerStatus::pinned
                                                              : TrackerStatus::remote);
    }
    // A holder dies: a cluster_error, once its pings have stopped.
    int holder = 0;
    while (!pinned.value().allocated_to(id(holder))) ++holder;
    cluster.peer(holder).crash();
    cluster.world.run_for(3s);
    const int at = (holder + 1) % 3;
    const auto status = cluster.await<GlobalPinInfo>(at, api(at).status(cid(1)));
    ASSERT_TRUE(status);
    EXPECT_EQ(status.value().peer_map.at(id(holder)).status, TrackerStatus::cluster_error);
    EXPECT_FALSE(status.value().peer_map.at(id(holder)).error.empty());
}

TEST_P(ClusterBehaviour, the_status_of_an_unknown_cid_is_unpinned_everywhere) {
    const auto status = cluster.await<GlobalPinInfo>(0, api(0).status(cid(77)));
    ASSERT_TRUE(status);
    for (const auto& [peer, row] : status.value().peer_map)
        EXPECT_EQ(row.status, TrackerStatus::unpinned);
}

TEST_P(ClusterBehaviour, a_daemons_error_is_shown_and_recovery_ends_it) {
    auto& ipfs = cluster.peer(1).ipfs;
    for (int i = 0; i < 50; ++i)
        ipfs.pin_errors[cid(1)].push_back({Kind::unavailable, "no route to the block"});
    ASSERT_TRUE(pin(0, wish(1, -1, -1)));
    cluster.world.run_for(1s);
    auto status = cluster.await<GlobalPinInfo>(2, api(2).status(cid(1)));
    ASSERT_TRUE(status);
    EXPECT_EQ(status.value().peer_map.at(id(0)).status, TrackerStatus::pinned);
    const auto& failed = status.value().peer_map.at(id(1));
    EXPECT_NE(failed.error.find("no route to the block"), std::string::npos)
        << to_string(failed.status);
    ipfs.pin_errors.clear();
    auto recovered = cluster.await<GlobalPinInfo>(2, api(2).recover(cid(1)));
    ASSERT_TRUE(recovered);
    cluster.world.run_for(500ms);
    status = cluster.await<GlobalPinInfo>(2, api(2).status(cid(1)));
    EXPECT_EQ(status.value().peer_map.at(id(1)).status, TrackerStatus::pinned);
}

TEST_P(ClusterBehaviour, what_a_daemon_lost_shows_at_once_for_one_cid_and_in_lists_after_a_sync) {
    for (int item = 0; item < 20; ++item) ASSERT_TRUE(pin(0, wish(item, -1, -1)));
    cluster.world.run_for(2s);
    auto& held = cluster.peer(1).ipfs.held;
    for (int item = 0; item < 20; ++item) ASSERT_EQ(held.erase(cid(item)), 1u);
    held[cid(99)] = wish(99, 1, 1);  // somebody's own
    const auto one = cluster.await<GlobalPinInfo>(0, api(0).sync(cid(3)));
    ASSERT_TRUE(one);
    EXPECT_EQ(one.value().peer_map.at(id(1)).status, TrackerStatus::unexpectedly_unpinned);
    EXPECT_EQ(one.value().peer_map.at(id(2)).status, TrackerStatus::pinned);

    const auto synced = cluster.collect(0, api(0).sync_all());
    ASSERT_TRUE(synced) << synced.error().text;
    EXPECT_EQ(synced.value().size(), 20u);
    const auto lost = static_cast<StatusFilter>(TrackerStatus::unexpectedly_unpinned);
    const auto listed = cluster.collect(2, api(2).status_all(lost));
    ASSERT_TRUE(listed);
    EXPECT_EQ(listed.value().size(), 20u);
    EXPECT_FALSE(held.contains(cid(3))) << "sync only looks";

    const auto recovered = cluster.collect(2, api(2).recover_all());
    ASSERT_TRUE(recovered);
    EXPECT_EQ(recovered.value().size(), 20u);
    cluster.world.run_for(2s);
    for (int item = 0; item < 20; ++item) EXPECT_TRUE(held.contains(cid(item))) << item;
    EXPECT_TRUE(held.contains(cid(99)));
}

TEST_P(ClusterBehaviour, with_daemons_stopped_a_sync_is_an_error_that_names_the_cause) {
    ASSERT_TRUE(pin(0, wish(1, -1, -1)));
    cluster.world.run_for(2s);
    const Error gone{Kind::unavailable, "connection refused by the daemon"};
    cluster.peer(1).ipfs.down = gone;
    // The others still tell what they know.
    const auto some = cluster.await<GlobalPinInfo>(0, api(0).sync(cid(1)));
    ASSERT_TRUE(some);
    EXPECT_EQ(some.value().peer_map.at(id(1)).status, TrackerStatus::cluster_error);
    const auto all = cluster.collect(0, api(0).sync_all());
    ASSERT_FALSE(all);
    EXPECT_NE(all.error().text.find(id(1).to_string() + ": "), std::string::npos)
        << all.error().text;
    EXPECT_NE(all.error().text.find(gone.text), std::string::npos) << all.error().text;
    for (const int number : {0, 2}) cluster.peer(number).ipfs.down = gone;
    const auto none = cluster.await<GlobalPinInfo>(0, api(0).sync(cid(1)));
    ASSERT_FALSE(none);
    EXPECT_NE(none.error().text.find(gone.text), std::string::npos) << none.error().text;
    EXPECT_FALSE(cluster.await<PinInfo>(0, api(0).sync_local(cid(1))));
    const auto absent = cluster.await<GlobalPinInfo>(0, api(0).sync(cid(2)));
    ASSERT_FALSE(absent);
    EXPECT_EQ(absent.error().kind, Kind::not_found);
    for (int number = 0; number < 3; ++number) cluster.peer(number).ipfs.down.reset();
    cluster.world.run_for(40s);
    EXPECT_EQ(cluster.collect(0, api(0).sync_all()).value().size(), 0u);
}

TEST_P(ClusterBehaviour, a_failed_pin_hides_no_daemon_that_cannot_be_asked) {
    for (int number = 0; number < 3; ++number)
        for (int i = 0; i < 500; ++i)
            cluster.peer(number).ipfs.pin_errors[cid(1)].push_back(
                {Kind::not_found, "no route to the block"});
    ASSERT_TRUE(pin(0, wish(1, -1, -1)));
    cluster.world.run_for(1min);
    const Error gone{Kind::unavailable, "connection refused by the daemon"};
    for (int number = 0; number < 3; ++number) cluster.peer(number).ipfs.down = gone;
    const auto status = cluster.await<GlobalPinInfo>(0, api(0).status(cid(1)));
    ASSERT_TRUE(status);
    for (const auto& [peer, info] : status.value().peer_map)
        EXPECT_EQ(to_string(info.status), "pin_error") << "why it failed is known";
    const auto synced = cluster.await<GlobalPinInfo>(0, api(0).sync(cid(1)));
    ASSERT_FALSE(synced) << "nobody's daemon was asked";
    for (int number = 0; number < 3; ++number)
        EXPECT_NE(synced.error().text.find(id(number).to_string() + ": "), std::string::npos)
            << synced.error().text;
    EXPECT_NE(synced.error().text.find(gone.text), std::string::npos) << synced.error().text;
    EXPECT_FALSE(cluster.await<PinInfo>(0, api(0).sync_local(cid(1))));
}

TEST_P(ClusterBehaviour, an_update_stays_with_the_peers_of_the_pin_it_replaces) {
    const auto first = pin(0, wish(1, 2, 2));
    ASSERT_TRUE(first);
    cluster.world.run_for(1s);
    auto update = wish(2, 0, 0);
    update.options.pin_update = cid(1);
    update.options.name = "second";
    const auto second = pin(1, update);
    ASSERT_TRUE(second) << second.error().text;
    EXPECT_EQ(second.value().allocations, first.value().allocations);
    EXPECT_EQ(second.value().options.name, "second");
    EXPECT_TRUE(api(0).pin_get(cid(1))) << "the old one is kept";
    update.cid = cid(3);
    update.options.pin_update = cid(99);
    const auto missing = pin(1, update);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().kind, Kind::not_found);
}

TEST_F(AgreedBehaviour, what_one_peer_acknowledged_another_can_unpin_at_once) {
    for (int item = 0; item < 20; ++item) {
        ASSERT_TRUE(pin(item % 3, wish(item, -1, -1)));
        const int other = (item + 1) % 3;
        const auto gone = cluster.await<Pin>(other, api(other).unpin(cid(item)));
        ASSERT_TRUE(gone) << item << ": " << gone.error().text;
        const auto again = cluster.await<Pin>(item % 3, api(item % 3).unpin(cid(item)));
        ASSERT_FALSE(again);
        EXPECT_EQ(again.error().kind, Kind::not_found) << again.error().text;
    }
}

TEST_P(ClusterBehaviour, sharded_content_of_a_go_cluster_is_unpinned_with_its_shards) {
    // The cluster DAG is the map {"0": first shard, "1": second shard}.
    Bytes block("\xa2", 1);
    const std::vector<Cid> shards{cid(10), cid(11)};
    for (std::size_t i = 0; i < shards.size(); ++i) {
        const auto link = Bytes(1, '\0') + shards[i].bytes();
        block += Bytes("\x61", 1) + std::to_string(i) + Bytes("\xd8\x2a\x58", 3);
        block += static_cast<char>(link.size());
        block += link;
    }
    const auto dag = Cid::v1(Codec::dag_cbor, multihash_digest(HashCode::sha2_256, block).value());
    const auto put = [&](Cid item, PinType type, int depth, Cid reference) {
        PinOperation operation;
        operation.pin = wish(0, -1, -1);
        operation.pin.cid = std::move(item);
        operation.pin.type = type;
        operation.pin.max_depth = depth;
        operation.pin.reference = std::move(reference);
        return cluster
            .await<component::CommitResult>(
                0, cluster.peer(0).life().consensus.commit(std::move(operation)))
            .has_value();
    };
    ASSERT_TRUE(put(shards[0], PinType::shard, 1, {}));
    ASSERT_TRUE(put(shards[1], PinType::shard, 1, shards[0]));
    ASSERT_TRUE(put(dag, PinType::cluster_dag, 0, cid(1)));
    ASSERT_TRUE(put(cid(1), PinType::meta, 0, dag));
    ASSERT_TRUE(pin(0, wish(2, -1, -1)));
    cluster.world.run_for(2s);

    const auto refused = cluster.await<Pin>(1, api(1).unpin(cid(1)));
    ASSERT_FALSE(refused) << "nobody has the block that lists the shards";
    EXPECT_NE(refused.error().text.find(dag.to_string()), std::string::npos)
        << refused.error().text;
    EXPECT_EQ(cluster.peer(1).life().state.count(), 5u);

    cluster.peer(1).ipfs.blocks[dag] = block;
    const auto unpinned = cluster.await<Pin>(1, api(1).unpin(cid(1)));
    ASSERT_TRUE(unpinned) << unpinned.error().text;
    cluster.world.run_for(2s);
    for (int number = 0; number < 3; ++number) {
        EXPECT_EQ(cluster.peer(number).life().state.count(), 1u) << number;
        EXPECT_EQ(cluster.peer(number).ipfs.held.size(), 1u) << number;
    }
}

TEST_P(ClusterBehaviour,
       recovering_everything_tells_each_cid_once_and_does_not_fail_for_a_dead_peer) {
    for (int item = 0; item < 5; ++item) ASSERT_TRUE(pin(0, wish(item, -1, -1)));
    cluster.world.run_for(2s);
    cluster.peer(2).crash();
    cluster.world.run_for(1min);
    for (const int number : {0, 1})
        for (int item = 0; item < 5; ++item) cluster.peer(number).ipfs.held.erase(cid(item));
    const auto recovered = cluster.collect(0, api(0).recover_all());
    ASSERT_TRUE(recovered) << recovered.error().text;
    ASSERT_EQ(recovered.value().size(), 5u);
    for (const auto& row : recovered.value()) {
        EXPECT_EQ(row.peer_map.size(), 3u);
        EXPECT_EQ(row.peer_map.at(id(2)).status, TrackerStatus::cluster_error);
    }
    cluster.world.run_for(2s);
    const auto again = cluster.collect(0, api(0).recover_all());
    ASSERT_TRUE(again) << again.error().text;
    EXPECT_EQ(again.value().size(), 0u);
}

TEST_F(AgreedBehaviour, a_peer_that_is_cut_off_does_not_claim_that_a_pin_is_absent) {
    cluster.network.partition({id(0)}, {id(1), id(2)});
    cluster.world.run_for(4s);
    ASSERT_TRUE(pin(1, wish(1, -1, -1)));
    const auto refused = cluster.await<Pin>(0, api(0).unpin(cid(1)));
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().kind, Kind::not_found) << refused.error().text;
}

TEST_P(ClusterBehaviour, a_follower_refuses_to_write) {
    auto options = options_with(GetParam());
    options.cluster.follower = true;
    SimCluster lone(1, 1, options);
    lone.start_all();
    ASSERT_EQ(lone.settle(), "");
    const auto refused = lone.await<Pin>(0, lone.peer(0).life().cluster.pin(wish(1, -1, -1)));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Kind::denied);
}

TEST_P(ClusterBehaviour, a_newcomer_gets_the_whole_pinset_and_its_share) {
    for (int i = 0; i < 100; ++i)
        cluster.submit_pin(i % 3, cid(i), i % 2 == 0 ? -1 : 1, i % 2 == 0 ? -1 : 1);
    ASSERT_EQ(cluster.settle(), "");
    const int newcomer = cluster.add_joiner();
    ASSERT_EQ(cluster.settle(), "");
    EXPECT_EQ(cluster.peer(newcomer).ipfs.held.size(), 50u) << "what is pinned everywhere";
    EXPECT_EQ(api(0).peers() != nullptr, true);
    cluster.world.run_for(2s);
    const auto infos = cluster.collect<PeerInfo>(newcomer, api(newcomer).peers());
    ASSERT_TRUE(infos);
    EXPECT_EQ(infos.value().size(), 4u);
    for (const auto& info : infos.value()) EXPECT_EQ(info.error, "");
    // From now on it is given new pins too.
    for (int i = 100; i < 140; ++i) cluster.submit_pin(0, cid(i), 1, 1);
    ASSERT_EQ(cluster.settle(), "");
    EXPECT_EQ(cluster.peer(newcomer).ipfs.held.size(), 60u);
}

TEST_F(AgreedBehaviour, a_newcomer_finds_the_others_when_the_one_it_joined_through_dies_at_once) {
    const int newcomer = cluster.add_joiner();
    ASSERT_TRUE(cluster.world.run_until(
        [&] { return cluster.peer(newcomer).life().consensus.ready(); }, 1min));
    for (int member = 0; member < 3; ++member)
        EXPECT_FALSE(cluster.peer(newcomer).life().host->known_addresses(id(member)).empty())
            << "member " << member;
    cluster.peer(0).crash();
    // Three of four are a quorum only with the newcomer among them.
    const int operation = cluster.submit_pin(newcomer, cid(1), 1, 1);
    cluster.world.run_until([&] { return outcome(operation) != Outcome::pending; }, 2min);
    EXPECT_EQ(outcome(operation), Outcome::acknowledged);
}

struct ContentBehaviour : ::testing::TestWithParam<SimKind>, Behaviour {
    static SimPeerOptions options(SimKind kind) {
        auto out = options_with(kind);
        out.embedded = true;
        return out;
    }
    ContentBehaviour() : Behaviour(options(GetParam())) {}
    static Bytes content() {
        Bytes out;
        while (out.size() < 100'000) out += "line " + std::to_string(out.size()) + "\n";
        return out;
    }
};

SIM_WITH_EACH_KIND(ContentBehaviour);

TEST_P(ContentBehaviour, added_blocks_are_only_on_the_chosen_peers) {
    const auto root = SimCluster::cid_of(content());
    cluster.submit_add(0, root, content(), 2, 2);
    ASSERT_EQ(cluster.settle(), "");
    ASSERT_EQ(cluster.count(Outcome::acknowledged), 1u);
    const auto pinned = api(1).pin_get(root);
    ASSERT_TRUE(pinned);
    for (int number = 0; number < 3; ++number) {
        const auto blocks = cluster.peer(number).life().content->blocks.stat().blocks;
        if (!pinned.value().allocated_to(id(number))) {
            EXPECT_EQ(blocks, 0u) << number;
            continue;
        }
        EXPECT_GT(blocks, 24u);
        const auto read = cluster.read(number, root);
        ASSERT_TRUE(read) << read.error().text;
        EXPECT_EQ(read.value(), content());
    }
}

TEST_P(ContentBehaviour, a_peer_that_becomes_a_holder_fetches_from_those_that_have_it) {
    const auto root = cluster.store(0, content());
    ASSERT_TRUE(root) << root.error().text;
    cluster.submit_pin(1, root.value(), -1, -1);
    ASSERT_EQ(cluster.settle(), "");
    for (int number = 0; number < 3; ++number)
        EXPECT_EQ(cluster.read(number, root.value()).value(), content());
}

TEST_P(ContentBehaviour, a_pin_that_nobody_can_serve_becomes_an_error_that_says_where_it_looked) {
    cluster.submit_pin(0, cid(1), -1, -1);
    cluster.world.run_for(5s);
    const auto status = cluster.await<GlobalPinInfo>(2, api(2).status(cid(1)));
    ASSERT_TRUE(status);
    for (const auto& [peer, row] : status.value().peer_map) {
        EXPECT_NE(row.status, TrackerStatus::pinned);
        EXPECT_NE(row.error.find("public network is off"), std::string::npos)
            << to_string(row.status) << ' ' << row.error;
    }
}

}  // namespace
}  // namespace ipfscluster::test
