#include "unit/cluster_rpc/fixture.hpp"

namespace ipfscluster::cluster::test {
namespace {

using rpc::Policy;
using HandlersTest = Fixture;

// The trust table of the Go programs and our one addition (docs/rpc.md).
const std::map<std::string, Policy> kTable = [] {
    std::map<std::string, Policy> table;
    const auto add = [&](const std::string& service, Policy policy,
                         std::vector<std::string> methods) {
        for (const auto& method : methods) table[service + "." + method] = policy;
    };
    add("Cluster", Policy::open, {"ID", "IDStream", "PeerAdd", "Version"});
    add("Cluster", Policy::trusted,
        {"Alive", "HeldHere", "PeerRemove", "Peers", "RecoverAllLocal", "RecoverLocal",
         "RepoGCLocal", "SyncAllLocal", "SyncLocal"});
    add("Cluster", Policy::closed,
        {"Alerts",
         "BandwidthByProtocol",
         "BlockAllocate",
         "ConnectGraph",
         "IPFSID",
         "Join",
         "PeersWithFilter",
         "Pin",
         "PinGet",
         "PinPath",
         "Pins",
         "Recover",
         "RecoverAll",
         "RepoGC",
         "SendInformerMetrics",
         "SendInformersMetrics",
         "Status",
         "StatusAll",
         "StatusAllLocal",
         "StatusLocal",
         "Sync",
         "SyncAll",
         "Unpin",
         "UnpinPath"});
    add("PinTracker", Policy::trusted, {"Recover", "Status", "StatusAll", "StatusAllSorted"});
    add("PinTracker", Policy::closed, {"PinQueueSize", "RecoverAll", "Track", "Untrack"});
    add("IPFSConnector", Policy::trusted, {"BlockStream", "RepoStat", "SwarmPeers"});
    add("IPFSConnector", Policy::closed,
        {"BlockGet", "ConfigKey", "Pin", "PinLs", "PinLsCid", "Resolve", "Unpin"});
    add("Consensus", Policy::trusted, {"AddPeer", "LogPin", "LogUnpin", "RmPeer"});
    add("Consensus", Policy::closed, {"Peers"});
    add("PeerMonitor", Policy::closed, {"LatestMetrics", "MetricNames"});
    return table;
}();

TEST_F(HandlersTest, the_trust_table_is_that_of_the_go_programs_and_ours) {
    const auto methods = server.methods();
    EXPECT_EQ(methods.size(), 62U);
    for (const auto& [name, policy] : methods) {
        const auto expected = kTable.find(name);
        ASSERT_NE(expected, kTable.end()) << name;
        EXPECT_EQ(policy, expected->second) << name;
    }
    EXPECT_EQ(kTable.size(), methods.size());
}

/// The whole answer of peer 1 to a call by its name, without an argument.
Async<Bytes> answer_to(net::Host* host, rpc::ServiceId id) {
    std::vector<std::string> protocols(1, std::string(kRpcProtocol));
    auto stream = co_await host->open(peer(1), std::move(protocols), 10s);
    if (!stream) co_return fail(stream.error());
    auto written = co_await stream.value()->write(codec::to_msgpack(id));
    if (!written) co_return fail(written.error());
    Bytes all;
    while (true) {
        auto piece = co_await stream.value()->read();
        if (!piece) co_return fail(piece.error());
        if (piece.value().empty()) break;
        all += piece.value();
    }
    co_return all;
}

TEST_F(HandlersTest, each_closed_name_is_refused_over_the_wire_as_go_does) {
    std::size_t closed = 0;
    for (const auto& [name, policy] : kTable) {
        if (policy != Policy::closed) continue;
        ++closed;
        const auto dot = name.find('.');
        const rpc::ServiceId id{name.substr(0, dot), name.substr(dot + 1)};
        rpc::Response refusal;
        refusal.id = id;
        refusal.error = "client does not have permissions to call " + name;
        refusal.type = rpc::ErrorType::authorization;
        const auto answer = drive(world, answer_to(asking_host.get(), id));
        ASSERT_TRUE(answer) << name << ": " << answer.error().text;
        EXPECT_EQ(answer.value(), codec::to_msgpack(refusal) + Bytes("\xc0", 1)) << name;
        const auto told = drive(world, client.call<Empty>(peer(1), id, Empty{}));
        EXPECT_EQ(told.error(), (Error{Kind::denied, refusal.error}));
    }
    EXPECT_EQ(closed, 38U);
    EXPECT_TRUE(api.calls.empty());
    const auto unknown = drive(world, client.call<Empty>(peer(1), {"Cluster", "Nothing"}, Empty{}));
    EXPECT_EQ(unknown.error().kind, Kind::unsupported);
}

TEST_F(HandlersTest, the_question_whether_a_peer_lives) {
    cluster::PeerClient asks(client);
    EXPECT_TRUE(drive(world, asks.alive(peer(1))));
    alive = fail(Kind::unavailable, "the disk does not answer");
    const auto refused = drive(world, asks.alive(peer(1)));
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().text.find("the disk does not answer"), std::string::npos);
    EXPECT_FALSE(drive(world, asks.alive(peer(3)))) << "nobody there";
    // One that knows the name as little as a Go peer does.
    auto other = network.add_host(peer(4));
    asking_host->add_addresses(peer(4), {network.address_of(peer(4))});
    rpc::Server knows_nothing(world, *other,
                              {.known = [](const PeerId&) { return ok(); }, .find_out = {}});
    knows_nothing.start();
    EXPECT_TRUE(drive(world, asks.alive(peer(4)))) << "it has answered";
    ICL_EXPECT_OK(drive(world, knows_nothing.stop()));
}

TEST_F(HandlersTest, members_ask_who_is_there_and_who_shall_go) {
    EXPECT_EQ(drive(world, client.call<codec::Version>(peer(1), {"Cluster", "Version"}, Empty{}))
                  .value()
                  .version,
              kClusterVersion);
    EXPECT_TRUE(drive(world, client.call<Empty>(peer(1), {"Cluster", "PeerRemove"}, peer(2))));
    EXPECT_EQ(api.calls.back(), "peer_remove " + peer(2).to_string());
    api.held = {.pins = 3, .kept = 2, .stored_bytes = 100, .waiting = 1, .waiting_items = {}};
    api.held.waiting_items.push_back(raw_cid("1"));
    api.held.everything = true;
    api.held.moved = 9;
    PeerClient asks(client);
    const auto held = drive(world, asks.held_here(peer(1)));
    ASSERT_TRUE(held) << held.error().text;
    EXPECT_EQ(held.value().pins, 3u);
    EXPECT_EQ(held.value().kept, 2u);
    EXPECT_EQ(held.value().stored_bytes, 100u);
    EXPECT_EQ(held.value().waiting, 1u);
    EXPECT_EQ(held.value().waiting_items, api.held.waiting_items);
    EXPECT_TRUE(held.value().everything);
    EXPECT_EQ(held.value().moved, 9u);
    api.members.resize(3);
    auto members = client.stream<PeerInfo, Empty>(peer(1), {"Cluster", "Peers"}, {});
    EXPECT_EQ(drive(world, collect(std::move(members))).value().size(), 3U);
}

TEST_F(HandlersTest, a_list_is_filtered_under_either_name) {
    for (int i = 0; i < 10; ++i) {
        PinInfo row;
        row.cid = raw_cid(std::to_string(i));
        row.info.status = i % 2 == 0 ? TrackerStatus::pinned : TrackerStatus::pin_queued;
        tracker.rows[row.cid] = row;
    }
    std::vector<std::int64_t> queued(1, static_cast<std::int64_t>(TrackerStatus::queued));
    for (const char* name : {"StatusAll", "StatusAllSorted"}) {
        auto rows = client.stream<PinInfo>(peer(1), {"PinTracker", name}, queued);
        EXPECT_EQ(drive(world, collect(std::move(rows))).value().size(), 5U) << name;
    }
}

TEST_F(HandlersTest, lists_ask_for_their_filter) {
    auto none = client.stream<PinInfo, std::int64_t>(peer(1), {"PinTracker", "StatusAll"}, {});
    const auto refused = drive(world, none->next());
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().text.find("no filter"), std::string::npos);
    auto bad = client.stream<PinInfo, std::int64_t>(peer(1), {"PinTracker", "StatusAll"}, {-5});
    EXPECT_FALSE(drive(world, bad->next()));
}

TEST_F(HandlersTest, a_trusted_peer_may_commit_through_us) {
    Pin pin;
    pin.cid = raw_cid("a");
    ASSERT_TRUE(drive(world, client.call<Empty>(peer(1), {"Consensus", "LogPin"}, pin)));
    ASSERT_TRUE(drive(world, client.call<Empty>(peer(1), {"Consensus", "LogUnpin"}, pin)));
    ASSERT_EQ(consensus.committed.size(), 2U);
    EXPECT_EQ(consensus.committed[0].kind, PinOperation::Kind::pin);
    EXPECT_EQ(consensus.committed[1].kind, PinOperation::Kind::unpin);
    EXPECT_EQ(consensus.committed[1].pin.cid, pin.cid);
}

}  // namespace
}  // namespace ipfscluster::cluster::test
