#include "unit/cluster_rpc/fixture.hpp"

namespace ipfscluster::cluster::test {
namespace {

using PeerClientTest = Fixture;

TEST_F(PeerClientTest, asks_who_a_peer_is) {
    EXPECT_EQ(drive(world, peers.id(peer(1))).value().id, peer(1));
    EXPECT_EQ(drive(world, peers.peer_add(peer(1), peer(2))).value().id, peer(2));
    EXPECT_EQ(api.calls.back(), "peer_add " + peer(2).to_string());
}

TEST_F(PeerClientTest, an_error_of_the_peer_comes_as_it_is) {
    api.call_error = Error{Kind::conflict, "one change at a time"};
    EXPECT_EQ(drive(world, peers.peer_add(peer(1), peer(2))).error(), *api.call_error);
}

TEST_F(PeerClientTest, asks_about_pins) {
    PinInfo row;
    row.cid = raw_cid("a");
    row.name = "a";
    row.info.status = TrackerStatus::pin_error;
    row.info.error = "no route";
    tracker.rows[row.cid] = row;
    EXPECT_EQ(drive(world, peers.status(peer(1), row.cid)).value().info.error, "no route");
    EXPECT_EQ(drive(world, peers.status(peer(1), raw_cid("b"))).value().info.status,
              TrackerStatus::unpinned);
    EXPECT_EQ(drive(world, peers.recover(peer(1), row.cid)).value().name, "a");
    EXPECT_EQ(tracker.recovered, std::vector<Cid>(1, row.cid));
    (void)drive(world, collect(peers.recover_all_local(peer(1)))).value();
    EXPECT_EQ(api.calls.back(), "recover_all_local");
}

TEST_F(PeerClientTest, lists_come_sorted_and_filtered) {
    for (int i = 0; i < 500; ++i) {
        PinInfo row;
        row.cid = raw_cid(std::to_string(i));
        row.info.status = i % 2 == 0 ? TrackerStatus::pinned : TrackerStatus::pin_queued;
        tracker.rows[row.cid] = row;
    }
    const auto rows = drive(world, collect(peers.status_all_sorted(peer(1), 0))).value();
    EXPECT_EQ(rows.size(), 500U);
    EXPECT_TRUE(std::is_sorted(rows.begin(), rows.end(),
                               [](const auto& a, const auto& b) { return a.cid < b.cid; }));
    const auto queued = static_cast<StatusFilter>(TrackerStatus::queued);
    EXPECT_EQ(drive(world, collect(peers.status_all_sorted(peer(1), queued))).value().size(), 250U);
}

TEST_F(PeerClientTest, asks_about_the_repository) {
    api.add_state.root = raw_cid("a");
    EXPECT_EQ(drive(world, peers.repo_gc_local(peer(1))).value().keys.size(), 1U);
    EXPECT_EQ(drive(world, peers.repo_stat(peer(1))).value().storage_max, 1000U);
    ipfs.swarm.assign(1, peer(9));
    EXPECT_EQ(drive(world, peers.swarm_peers(peer(1))).value(), ipfs.swarm);
}

TEST_F(PeerClientTest, blocks_are_there_after_the_commit_and_more_may_follow) {
    auto session = drive(world, peers.block_stream(peer(1)));
    ASSERT_TRUE(session) << session.error().text;
    for (const char* data : {"a", "b"})
        ICL_EXPECT_OK(drive(world, session.value()->put(raw_cid(data), data)));
    EXPECT_TRUE(ipfs.stored.empty());
    ICL_EXPECT_OK(drive(world, session.value()->commit()));
    EXPECT_EQ(ipfs.stored.size(), 2U);
    EXPECT_EQ(ipfs.stored.at(raw_cid("a")), "a");
    ICL_EXPECT_OK(drive(world, session.value()->put(raw_cid("c"), "c")));
    ICL_EXPECT_OK(drive(world, session.value()->commit()));
    EXPECT_EQ(ipfs.stored.size(), 3U);
}

TEST_F(PeerClientTest, a_commit_without_blocks_is_no_error) {
    auto session = drive(world, peers.block_stream(peer(1)));
    ICL_EXPECT_OK(drive(world, session.value()->commit()));
    session.value().reset();
    world.run_for(1s);
    EXPECT_EQ(server.running(), 0U);
    EXPECT_EQ(ipfs.sessions, 0);
}

TEST_F(PeerClientTest, blocks_that_cannot_be_stored_are_told_with_the_reason) {
    ipfs.put_error = Error{Kind::disk_full, "disk full on peer one"};
    auto session = drive(world, peers.block_stream(peer(1)));
    Result<> last = ok();
    for (int i = 0; i < 20 && last; ++i) {
        const Bytes data(100000, static_cast<char>('a' + i));
        last = drive(world, session.value()->put(raw_cid(data), data));
    }
    if (last) last = drive(world, session.value()->commit());
    ASSERT_FALSE(last);
    EXPECT_EQ(last.error(), *ipfs.put_error);
    EXPECT_TRUE(ipfs.stored.empty());
}

TEST_F(PeerClientTest, an_abandoned_session_stores_nothing) {
    auto session = drive(world, peers.block_stream(peer(1)));
    ICL_EXPECT_OK(drive(world, session.value()->put(raw_cid("a"), "a")));
    session.value().reset();
    world.run_for(5s);
    EXPECT_TRUE(ipfs.stored.empty());
    EXPECT_EQ(server.running(), 0U);
}

TEST_F(PeerClientTest, a_stream_without_blocks_is_an_error_as_in_go) {
    auto empty = client.stream<Empty, NodeWithMeta>(peer(1), {"IPFSConnector", "BlockStream"}, {});
    EXPECT_EQ(drive(world, empty->next()).error().text,
              "BlockStream: no blocks to peek in blocks channel");
}

TEST_F(PeerClientTest, a_peer_that_is_gone_is_unavailable) {
    network.crash(peer(1));
    EXPECT_EQ(drive(world, peers.id(peer(1))).error().kind, Kind::unavailable);
    const auto session = drive(world, peers.block_stream(peer(1)));
    ASSERT_FALSE(session);
    EXPECT_EQ(session.error().kind, Kind::unavailable);
}

}  // namespace
}  // namespace ipfscluster::cluster::test
