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
        {"PeerRemove", "Peers", "RecoverAllLocal", "RecoverLocal", "RepoGCLocal", "SyncAllLocal",
         "SyncLocal"});
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
    EXPECT_EQ(methods.size(), 60U);
    for (const auto& [name, policy] : methods) {
        const auto expected = kTable.find(name);
        ASSERT_NE(expected, kTable.end()) << name;
        EXPECT_EQ(policy, expected->second) << name;
    }
    EXPECT_EQ(kTable.size(), methods.size());
}

TEST_F(HandlersTest, a_closed_method_is_refused_to_others_and_answered_to_oneself) {
    Pin pin;
    pin.cid = raw_cid("a");
    const auto refused = drive(world, client.call<Pin>(peer(1), {"Cluster", "Pin"}, pin));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Kind::denied);
    EXPECT_TRUE(api.pinset.empty());
    ASSERT_TRUE(drive(world, own_client.call<Pin>(peer(1), {"Cluster", "Pin"}, pin)));
    EXPECT_TRUE(api.pinset.contains(pin.cid));
}

TEST_F(HandlersTest, pins_can_be_read_and_removed_locally) {
    Pin pin;
    pin.cid = raw_cid("a");
    api.pinset[pin.cid] = pin;
    EXPECT_EQ(drive(world, own_client.call<Pin>(PeerId(), {"Cluster", "PinGet"}, pin.cid)).value(),
              pin);
    auto all = own_client.stream<Pin, Empty>(PeerId(), {"Cluster", "Pins"}, {});
    EXPECT_EQ(drive(world, collect(std::move(all))).value().size(), 1U);
    ASSERT_TRUE(drive(world, own_client.call<Pin>(PeerId(), {"Cluster", "Unpin"}, pin)));
    const auto gone = drive(world, own_client.call<Pin>(PeerId(), {"Cluster", "PinGet"}, pin.cid));
    EXPECT_EQ(gone.error().text, component::kPinNotFound);
}

TEST_F(HandlersTest, lists_ask_for_their_filter) {
    auto none = client.stream<PinInfo, std::int64_t>(peer(1), {"PinTracker", "StatusAll"}, {});
    const auto refused = drive(world, none->next());
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().text.find("no filter"), std::string::npos);
    auto bad = client.stream<PinInfo, std::int64_t>(peer(1), {"PinTracker", "StatusAll"}, {-5});
    EXPECT_FALSE(drive(world, bad->next()));
}

TEST_F(HandlersTest, members_can_be_picked_from_the_peers) {
    api.members.resize(2);
    api.members[0].id = peer(1);
    api.members[1].id = peer(2);
    std::vector<std::vector<PeerId>> wanted(1, std::vector<PeerId>(1, peer(2)));
    auto some = own_client.stream<PeerInfo>(PeerId(), {"Cluster", "PeersWithFilter"}, wanted);
    const auto found = drive(world, collect(std::move(some))).value();
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].id, peer(2));
}

TEST_F(HandlersTest, a_trusted_peer_may_commit_through_us) {
    Pin pin;
    pin.cid = raw_cid("a");
    ASSERT_TRUE(drive(world, client.call<Empty>(peer(1), {"Consensus", "LogPin"}, pin)));
    ASSERT_TRUE(drive(world, client.call<Empty>(peer(1), {"Consensus", "LogUnpin"}, pin)));
    ASSERT_EQ(consensus.committed.size(), 2U);
    EXPECT_EQ(consensus.committed[0].kind, component::PinOperation::Kind::pin);
    EXPECT_EQ(consensus.committed[1].kind, component::PinOperation::Kind::unpin);
    EXPECT_EQ(consensus.committed[1].pin.cid, pin.cid);
}

TEST_F(HandlersTest, remaining_local_methods_reach_their_part) {
    const PeerId self;
    EXPECT_TRUE(
        drive(world, own_client.call<Empty>(self, {"Cluster", "SendInformersMetrics"}, Empty{})));
    EXPECT_TRUE(
        drive(world, own_client.call<Empty>(self, {"Cluster", "SendInformerMetrics"}, Empty{})));
    EXPECT_EQ(sent_metrics, 2);
    Pin pin;
    EXPECT_EQ(
        drive(world, own_client.call<std::vector<PeerId>>(self, {"Cluster", "BlockAllocate"}, pin))
            .value(),
        std::vector<PeerId>(1, peer(3)));
    EXPECT_EQ(drive(world, own_client.call<std::string>(self, {"IPFSConnector", "ConfigKey"},
                                                        std::string("A/B")))
                  .value(),
              "\"A/B\"");
    EXPECT_EQ(
        drive(world, own_client.call<IpfsId>(self, {"Cluster", "IPFSID"}, peer(7))).error().kind,
        Kind::not_found);
    EXPECT_EQ(drive(world, own_client.call<Empty>(self, {"PinTracker", "Track"}, pin)).error().kind,
              Kind::unsupported);
    EXPECT_EQ(drive(world, own_client.call<std::vector<std::string>>(
                               self, {"PeerMonitor", "MetricNames"}, Empty{}))
                  .value(),
              std::vector<std::string>(1, "ping"));
    const auto totals = drive(world, own_client.call<codec::BandwidthByProtocol>(
                                         self, {"Cluster", "BandwidthByProtocol"}, Empty{}));
    EXPECT_EQ(totals.value().at("/x/1").total_out, 20);
}

}  // namespace
}  // namespace ipfscluster::cluster::test
