// Whom the members of a cluster listen to: every RPC method, called by each kind of caller.
#include <gtest/gtest.h>

#include <cstdlib>

#include "rpc/frame.hpp"
#include "support/drive.hpp"
#include "support/pins.hpp"
#include "support/sim_cluster.hpp"

namespace ipfscluster::test {
namespace {

using namespace std::chrono_literals;
using rpc::ErrorType;
using rpc::Policy;

/// What everybody who has the secret may ask: who this is, and to be taken in.
const std::set<std::string> kForAll{"Cluster.ID", "Cluster.IDStream", "Cluster.PeerAdd",
                                    "Cluster.Version"};

/// The first answer to a call with one argument, as it came over the wire.
Async<rpc::Response> ask(net::Host* host, PeerId of, rpc::ServiceId id, Bytes argument) {
    std::vector<std::string> protocols(1, std::string(kRpcProtocol));
    ICL_CO_TRY(const auto stream, co_await host->open(std::move(of), std::move(protocols), 5s));
    ICL_CO_TRY(co_await stream->write(codec::to_msgpack(id) + argument));
    Bytes all;
    while (true) {
        codec::Scanner scanner;
        ICL_CO_TRY(const auto piece, co_await stream->read());
        if (piece.empty()) co_return rpc::Response{};  // the end of an empty list
        all += piece;
        ICL_CO_TRY(const auto size, scanner.scan(all));
        if (size) co_return codec::from_msgpack<rpc::Response>(BytesView(all).substr(0, *size));
    }
}

struct DoorTest : ::testing::Test {
    DoorTest() {
        cluster.start_all();
        EXPECT_EQ(cluster.settle(), "");
    }
    component::ClusterApi& api(int at) { return cluster.peer(at).life().cluster; }
    const PeerId& id(int at) { return cluster.peer(at).id; }
    int follower() { return cluster.leader() == 1 ? 2 : 1; }

    /// A host without a peer, which knows where the peers are.
    std::unique_ptr<net::MemoryHost> bare_host(const PeerId& own) {
        auto host = cluster.network.add_host(own);
        for (int at = 0; at < cluster.size(); ++at)
            if (id(at) != own) host->add_addresses(id(at), {cluster.network.address_of(id(at))});
        return host;
    }
    Result<rpc::Response> call(net::Host& host, int at, const std::string& name) {
        const auto dot = name.find('.');
        const rpc::ServiceId service{name.substr(0, dot), name.substr(dot + 1)};
        // Whoever asks to be taken in asks for itself. With a number most methods can do nothing,
        // so that it shows who is let in and changes nothing.
        Bytes argument(1, kForAll.contains(name) ? '\xc0' : '\x07');
        if (name == "Cluster.PeerAdd") argument = codec::to_msgpack(host.id());
        return drive(cluster.world, ask(&host, id(at), service, argument), 1min);
    }
    /// Calls every method at a peer. `reason`: what refusals say.
    void expect_only_the_door(net::Host& host, int at, const std::string& reason) {
        for (const auto& [name, policy] : cluster.peer(at).life().peer.rpc().methods()) {
            const auto answer = call(host, at, name);
            ASSERT_TRUE(answer) << name << ": " << answer.error().text;
            if (kForAll.contains(name)) {
                // A host without a peer cannot be taken in.
                EXPECT_EQ(answer.value().error.empty(), name != "Cluster.PeerAdd") << name;
                EXPECT_EQ(answer.value().type, ErrorType::method) << name;
                continue;
            }
            EXPECT_EQ(answer.value().type, ErrorType::authorization) << name;
            auto text = "client does not have permissions to call " + name;
            if (policy == Policy::trusted) text += ": " + reason;
            EXPECT_EQ(answer.value().error, text);
        }
    }
    void remove(int at, int gone) {
        auto removed = cluster.await<component::Removal>(at, api(at).peer_remove(id(gone), true));
        ASSERT_TRUE(removed) << removed.error().text;
        cluster.peer(gone).member = false;
        ASSERT_TRUE(cluster.world.run_until([&] { return cluster.peer(gone).stopped(); }, 1min));
    }
    bool is_member(int at, int who) {
        const auto members = cluster.peer(at).life().consensus.peers();
        return std::find(members.begin(), members.end(), id(who)) != members.end();
    }

    SimCluster cluster{1, 3};
};

TEST_F(DoorTest, a_member_is_answered_whatever_it_calls) {
    for (const int at : {cluster.leader(), follower()}) {
        auto& host = *cluster.peer(3 - cluster.leader() - follower()).life().host;
        for (const auto& [name, policy] : cluster.peer(at).life().peer.rpc().methods()) {
            if (policy == Policy::closed) continue;
            const auto answer = call(host, at, name);
            ASSERT_TRUE(answer) << name << ": " << answer.error().text;
            EXPECT_NE(answer.value().type, ErrorType::authorization) << name;
        }
    }
    EXPECT_EQ(cluster.settle(), "");
}

TEST_F(DoorTest, a_stranger_is_told_who_this_is_and_nothing_else) {
    const auto stranger = bare_host(peer(77));
    for (const int at : {cluster.leader(), follower()})
        expect_only_the_door(*stranger, at, "not a member of this cluster");
    EXPECT_EQ(cluster.settle(), "");
}

TEST_F(DoorTest, a_peer_that_was_removed_is_told_so_and_nothing_else) {
    const int leads = cluster.leader(), follows = follower();
    const int gone = 3 - leads - follows;
    ASSERT_NO_FATAL_FAILURE(remove(leads, gone));
    const auto removed = bare_host(id(gone));
    for (const int at : {leads, follows})
        expect_only_the_door(*removed, at, "removed from this cluster");
}

TEST_F(DoorTest, a_stranger_may_ask_to_be_taken_in_but_not_for_another) {
    const auto stranger = bare_host(peer(77));
    const auto answer = drive(cluster.world, ask(stranger.get(), id(0), {"Cluster", "PeerAdd"},
                                                 codec::to_msgpack(peer(78))));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer.value().kind, "denied") << answer.value().error;
}

TEST_F(DoorTest, where_nobody_can_be_asked_a_stranger_is_told_to_come_again) {
    for (const int at : {1, 2}) cluster.peer(at).crash();
    cluster.world.run_for(10s);
    const auto stranger = bare_host(peer(77));
    const auto answer = call(*stranger, 0, "PinTracker.StatusAll");
    ASSERT_TRUE(answer) << answer.error().text;
    EXPECT_EQ(rpc::to_error(answer.value()).kind, Kind::retryable) << answer.value().error;
    EXPECT_EQ(answer.value().type, ErrorType::server);
}

TEST_F(DoorTest, a_removed_peer_comes_back_only_when_it_is_told_to_join) {
    const int gone = 3 - cluster.leader() - follower();
    const int stays = cluster.leader();
    ASSERT_NO_FATAL_FAILURE(remove(stays, gone));
    // With what it had.
    cluster.peer(gone).start();
    ASSERT_TRUE(cluster.world.run_until([&] { return cluster.peer(gone).stopped(); }, 1min));
    EXPECT_FALSE(is_member(stays, gone));
    // Without its data, as the service leaves it: it knows the others and is one of the founders.
    cluster.peer(gone).crash_and_wipe();
    cluster.peer(gone).start();
    cluster.world.run_for(1min);
    EXPECT_FALSE(is_member(stays, gone));
    EXPECT_FALSE(cluster.peer(gone).life().consensus.ready());
    const auto refused = call(*cluster.peer(gone).life().host, stays, "Cluster.Peers");
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused.value().error,
              "client does not have permissions to call Cluster.Peers: removed from this cluster");
    const auto added = call(*cluster.peer(gone).life().host, stays, "Consensus.AddPeer");
    ASSERT_TRUE(added);
    EXPECT_EQ(added.value().type, ErrorType::authorization);
    // The operator's word.
    cluster.peer(gone).stop();
    ASSERT_TRUE(cluster.world.run_until([&] { return cluster.peer(gone).stopped(); }, 1min));
    cluster.peer(gone).start({cluster.network.address_of(id(stays)).with_peer(id(stays))});
    cluster.peer(gone).member = true;
    EXPECT_EQ(cluster.settle(), "");
    EXPECT_TRUE(is_member(stays, gone));
}

/// What a member keeps of single peers.
struct Sizes {
    explicit Sizes(SimPeer::Life& life)
        : known(life.host->known_peers().size()),
          kept(life.host->kept_peers().size()),
          calls(life.peer.rpc().callers() + life.peer.calls().callees()),
          metrics(life.monitor.remembered()),
          cluster(life.cluster.remembered()) {
        const auto raft = life.raft->status();
        consensus = raft.contacts + raft.links + raft.streams;
    }
    std::size_t known, kept, calls, metrics, cluster, consensus = 0;
};

TEST_F(DoorTest, peers_that_come_and_go_leave_a_member_as_it_was) {
    const auto sizes = [&](int at) {
        // Questions under way are none of what is kept.
        cluster.world.run_for(20s);
        return Sizes(cluster.peer(at).life());
    };
    const auto pin = [&](int item) {
        Pin wish;
        wish.cid = cid(item);
        wish.options.replication_min = wish.options.replication_max = 2;
        ASSERT_TRUE(cluster.await<Pin>(0, api(0).pin(std::move(wish))));
        ASSERT_TRUE(cluster.await<GlobalPinInfo>(0, api(0).status(cid(item))));
    };
    for (int item = 0; item < 10; ++item) pin(item);
    // Another one may lead afterwards, and has what the leader has.
    std::size_t consensus = 0;
    for (int at = 0; at < 3; ++at) consensus = std::max(consensus, sizes(at).consensus);
    // Each time another peer, and one that comes back without its data.
    std::optional<int> again;
    int rounds = 30;
    if (const auto* wanted = std::getenv("ICL_REJOINS")) rounds = std::atoi(wanted);
    for (int round = 0; round < rounds; ++round) {
        const int fresh = cluster.add_joiner();
        if (again) {
            cluster.peer(*again).crash_and_wipe();
            cluster.peer(*again).member = true;
            cluster.start(*again);
        } else {
            again = fresh;
        }
        for (const int who : {fresh, *again})
            ASSERT_TRUE(cluster.world.run_until([&] { return is_member(0, who); }, 1min)) << round;
        cluster.world.run_for(3s);
        pin(100 + round);
        ASSERT_NO_FATAL_FAILURE(remove(0, fresh));
        if (fresh != *again) {
            ASSERT_NO_FATAL_FAILURE(remove(0, *again));
        }
    }
    for (int at = 0; at < 3; ++at) {
        const auto after = sizes(at);
        EXPECT_LE(after.known, 3u) << "at " << at;
        EXPECT_LE(after.kept, 3u) << "at " << at;
        EXPECT_LE(after.calls, 4u) << "at " << at;
        EXPECT_LE(after.metrics, 3u) << "at " << at;
        EXPECT_LE(after.cluster, 6u) << "at " << at;
        EXPECT_LE(after.consensus, consensus) << "at " << at;
    }
}

}  // namespace
}  // namespace ipfscluster::test
