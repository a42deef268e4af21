#include "peer/joiner.hpp"

#include <gtest/gtest.h>

#include "multi/key_pair.hpp"
#include "net/memory_host.hpp"
#include "rpc/server.hpp"
#include "support/drive.hpp"
#include "support/fake_cluster_api.hpp"
#include "support/fake_parts.hpp"

namespace ipfscluster::peer {
namespace {

using namespace std::chrono_literals;
using test::drive;

PeerId id_of(char number) {
    return ed25519_from_seed(Bytes(32, number)).id;
}

class MaybeReady final : public test::LoneConsensus {
 public:
    bool is_ready = false;
    bool ready() override { return is_ready; }
};

/// Peer 1 is to join through peer 2, which answers who is in its cluster.
struct JoinerTest : ::testing::Test {
    JoinerTest() {
        api.us = id_of(1);
        consensus.members.assign(1, id_of(1));
        server.unary<codec::Empty, PeerInfo>(
            "Cluster", "ID", rpc::Policy::open,
            [this](PeerId, codec::Empty) { return answer(&theirs); });
        server.start();
    }
    ~JoinerTest() override {
        ICL_EXPECT_OK(drive(world, tasks.stop()));
        ICL_EXPECT_OK(drive(world, server.stop()));
        world.run_for(1min);
    }
    static Async<PeerInfo> answer(const PeerInfo* info) { co_return *info; }
    Multiaddr address(char number) {
        return network.address_of(id_of(number)).with_peer(id_of(number));
    }
    void run(JoinerOptions options) {
        joiner = std::make_unique<Joiner>(world, *host, consensus, consensus, api, peers,
                                          std::move(options));
        ASSERT_TRUE(tasks.spawn(joiner->run()));
    }
    bool over() const { return tasks.size() == 0; }

    SimWorld world{1};
    net::MemoryNetwork network{world};
    std::unique_ptr<net::MemoryHost> host = network.add_host(id_of(1));
    std::unique_ptr<net::MemoryHost> other = network.add_host(id_of(2));
    test::FakeClusterApi api;
    MaybeReady consensus;
    PeerInfo theirs;
    rpc::Server server{
        world, *other, {.known = [](const PeerId&) { return ok(); }, .find_out = {}}};
    rpc::Client client{world, *host};
    cluster::PeerClient peers{client};
    std::unique_ptr<Joiner> joiner;
    TaskGroup tasks{world, "joiner"};
};

TEST_F(JoinerTest, each_address_is_tried_until_one_takes_it_in) {
    api.call_error = Error{Kind::unavailable, "nobody is there"};
    run({.bootstrap = {address(2), address(3)}, .retry = 2s});
    world.run_for(3s);
    ASSERT_EQ(api.calls.size(), 4u);
    EXPECT_EQ(api.calls[0], "join " + address(2).to_string());
    EXPECT_EQ(api.calls[1], "join " + address(3).to_string());
    EXPECT_FALSE(over());
    api.call_error.reset();
    world.run_for(2s);
    EXPECT_EQ(api.calls.size(), 5u) << "the first that takes it in ends it";
    EXPECT_TRUE(over());
}

TEST_F(JoinerTest, ends_when_somebody_else_has_added_this_peer) {
    api.call_error = Error{Kind::unavailable, "nobody is there"};
    run({.bootstrap = {address(2)}});
    world.run_for(1s);
    consensus.is_ready = true;
    consensus.members = {id_of(1), id_of(2)};
    world.run_for(2s);
    EXPECT_TRUE(over());
    EXPECT_EQ(api.calls.size(), 1u);
}

TEST_F(JoinerTest, shows_its_addresses_to_members_that_may_add_it) {
    api.call_error = Error{Kind::unavailable, "it is slow to start"};
    run({.bootstrap = {address(3)}, .peer_addresses = {address(2), address(1)}});
    world.run_for(1s);
    EXPECT_TRUE(other->connected(id_of(1)));
}

TEST_F(JoinerTest, a_member_of_another_cluster_stays_there) {
    consensus.is_ready = true;
    theirs.cluster_peers = {id_of(2), id_of(3)};
    run({.bootstrap = {address(2)}});
    world.run_for(1s);
    EXPECT_TRUE(over());
    EXPECT_TRUE(host->connected(id_of(2))) << "it has asked";
    EXPECT_TRUE(api.calls.empty()) << "and did not join";
}

}  // namespace
}  // namespace ipfscluster::peer
