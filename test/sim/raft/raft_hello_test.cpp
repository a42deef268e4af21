// How streams between peers begin: who may talk to whom.
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "sim/raft/sim_cluster.hpp"

namespace ipfscluster::sim {
namespace {

using raft::FrameStream;
using raft::FrameType;
using raft::Hello;
using raft::HelloReply;
using raft::HelloStatus;
using raft::NodeId;
using raft::Purpose;
using std::chrono::seconds;

/// What builds of version 1 say: version, purpose, node, cluster id.
Bytes hello_of_version_1(NodeId node) {
    Bytes out("\x01\x02", 2);
    put_be64(out, node);
    return out + Bytes(1, 0);
}

/// The answer of a build of version 1 to a version that it does not know.
Bytes refusal_of_version_1(NodeId node) {
    Bytes out("\x01\x01", 2);
    put_be64(out, node);
    return out + Bytes(1, 0) + Bytes(1, 1) + Bytes(1, 15) + "unknown version";
}

Async<Bytes> say(net::Host* host, PeerId peer, Bytes hello) {
    std::vector<std::string> protocols(1, raft::kRaftProtocol);
    ICL_CO_TRY(auto stream, co_await host->open(peer, std::move(protocols), seconds(5)));
    FrameStream frames(std::move(stream));
    ICL_CO_TRY(co_await frames.write(encode_frame(FrameType::hello, hello)));
    co_return co_await frames.expect(FrameType::hello_reply);
}

asio::awaitable<void> refuse_all(std::shared_ptr<FrameStream> frames, Bytes reply) {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto said = co_await frames->expect(FrameType::hello);
    if (!said) co_return;
    auto wrote = co_await frames->write(encode_frame(FrameType::hello_reply, reply));
    if (!wrote) co_return;
    auto end = co_await frames->read();
    static_cast<void>(end);
}

class RaftHello : public ::testing::Test {
 protected:
    void found(int count) {
        cluster.add_founders(count);
        cluster.start_all();
        ASSERT_TRUE(cluster.run_until([&] { return cluster.leader() >= 0; }));
    }
    NodeId node_of(int number) { return cluster.peer(number).raft->status().engine.id; }
    /// The stranger learns where that peer is.
    void know(int number) {
        const auto peer = test_peer(number);
        stranger->add_addresses(peer, {cluster.network.address_of(peer)});
    }
    /// What somebody says who wants to talk to that node.
    Result<raft::Greeted> ask(int number, NodeId wanted) {
        asker.wanted = wanted;
        know(number);
        return cluster.await<raft::Greeted>(
            raft::greet(cluster.world, *stranger, test_peer(number), asker, seconds(5)));
    }

    SimCluster cluster{7};
    std::unique_ptr<net::MemoryHost> stranger = cluster.network.add_host(test_peer(77));
    Hello asker;
};

TEST_F(RaftHello, a_hello_of_version_1_is_refused_by_name) {
    found(1);
    know(0);
    const auto answer =
        cluster.await<Bytes>(say(stranger.get(), test_peer(0), hello_of_version_1(5)));
    ASSERT_TRUE(answer) << answer.error().text;
    // As version 1 reads it: version, status, node, cluster id, flags, text.
    const auto& bytes = answer.value();
    ASSERT_GT(bytes.size(), 10u);
    EXPECT_EQ(bytes[0], 2);
    EXPECT_EQ(bytes[1], static_cast<char>(HelloStatus::wrong_version));
    EXPECT_EQ(get_be64(BytesView(bytes).substr(2)), node_of(0));
    // Feature levels and answers about others came later, behind what it reads.
    EXPECT_TRUE(BytesView(bytes).substr(0, bytes.size() - 6).ends_with("unknown version"));
}

TEST_F(RaftHello, a_peer_of_version_1_that_refuses_us_is_named) {
    const auto old = cluster.network.add_host(test_peer(5));
    old->handle(raft::kRaftProtocol, [&](net::StreamPtr stream) {
        asio::co_spawn(
            cluster.world.executor(),
            refuse_all(std::make_shared<FrameStream>(std::move(stream)), refusal_of_version_1(3)),
            asio::detached);
    });
    const auto greeted = ask(5, 0);
    ASSERT_FALSE(greeted);
    EXPECT_EQ(greeted.error().kind, Kind::denied);
    EXPECT_NE(greeted.error().text.find("speaks version 1 of the raft protocol, we speak 2"),
              std::string::npos)
        << greeted.error().text;
}

TEST_F(RaftHello, a_node_that_came_back_as_another_one_says_so) {
    found(3);
    const int lost = cluster.leader() == 0 ? 1 : 0;
    const int gone = 3 - lost - cluster.leader();
    const auto old = node_of(lost);
    asker.node = node_of(gone);
    asker.cluster_id = cluster.peer(gone).raft->log().cluster_id();
    cluster.crash(gone);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.is_down(gone); }));
    stranger = cluster.network.add_host(test_peer(gone));
    EXPECT_TRUE(ask(lost, old));
    cluster.crash_and_wipe(lost);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.is_down(lost); }));
    cluster.start(lost);
    ASSERT_TRUE(cluster.run_until([&] { return node_of(lost) != 0; }));
    ASSERT_NE(node_of(lost), old);
    const auto greeted = ask(lost, old);
    ASSERT_FALSE(greeted);
    EXPECT_EQ(greeted.error().kind, Kind::not_found);
    EXPECT_NE(greeted.error().text.find("is another node now"), std::string::npos)
        << greeted.error().text;
    EXPECT_TRUE(ask(lost, node_of(lost)));
    EXPECT_TRUE(ask(lost, 0)) << "whoever is there";
}

}  // namespace
}  // namespace ipfscluster::sim
