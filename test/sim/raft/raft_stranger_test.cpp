// Who may speak raft: a peer that holds the secret and is no member, and a member that lies.
#include <gtest/gtest.h>

#include "sim/raft/raft_fixture.hpp"
#include "support/raft_messages.hpp"

namespace ipfscluster::sim {
namespace {

using raft::FrameStream;
using raft::FrameType;
using raft::Hello;
using raft::NodeId;
using raft::Purpose;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::RaftMessage;
using test::RaftType;

constexpr NodeId kStrangeNode = 0x1122334455667788;

class RaftStrangers : public RaftFixture {
 protected:
    RaftStrangers() : RaftFixture(31) {}

    NodeId node_of(int number) { return cluster.peer(number).raft->status().engine.id; }
    raft::RaftStatus status(int number) { return cluster.peer(number).raft->status(); }
    Bytes cluster_id() { return cluster.peer(0).raft->log().cluster_id(); }

    Hello hello(Purpose purpose, NodeId node, Bytes id, NodeId wanted) {
        Hello said;
        said.purpose = purpose;
        said.node = node;
        said.cluster_id = std::move(id);
        said.wanted = wanted;
        said.feature_level = state::kFeatureLevel;
        return said;
    }
    Result<raft::Greeted> greet(net::MemoryHost& host, int number, Hello said) {
        const auto peer = test_peer(number);
        host.add_addresses(peer, {cluster.network.address_of(peer)});
        return cluster.await<raft::Greeted>(
            raft::greet(cluster.world, host, peer, std::move(said), seconds(5)));
    }
    /// Says the message on a stream of its own to that peer, as that node; false: it was refused.
    bool say(net::MemoryHost& host, int number, NodeId as, Bytes id, const Bytes& message) {
        auto greeted = greet(host, number, hello(Purpose::messages, as, std::move(id), 0));
        if (greeted) {
            auto wrote = cluster.await<void>(
                greeted.value().stream->write(encode_frame(FrameType::message, message)));
            static_cast<void>(wrote);
        }
        cluster.world.run_for(seconds(2));
        return greeted.has_value();
    }
    /// A member's process is gone, and somebody who has its key speaks instead.
    std::unique_ptr<net::MemoryHost> impersonate(int number) {
        cluster.crash(number);
        EXPECT_TRUE(cluster.run_until([&] { return cluster.is_down(number); }));
        return cluster.network.add_host(test_peer(number));
    }
    void expect_unharmed() {
        for (int number = 0; number < cluster.size(); ++number) {
            if (!cluster.peer(number).up) continue;
            EXPECT_TRUE(status(number).running) << number;
            EXPECT_LT(status(number).engine.term, 100u) << number;
            EXPECT_EQ(cluster.peer(number).raft->loss(), "") << number;
        }
        EXPECT_GE(cluster.leader(), 0);
        commit(cluster.leader(), 1);
    }
    std::unique_ptr<net::MemoryHost> stranger() { return cluster.network.add_host(test_peer(77)); }
};

TEST_F(RaftStrangers, a_heartbeat_of_nobody_ends_no_peer) {
    found(3);
    auto host = stranger();
    RaftMessage lie{RaftType::heartbeat, node_of(0), kStrangeNode, 1000};
    lie.commit = 1'000'000'000;
    EXPECT_FALSE(say(*host, 0, kStrangeNode, {}, lie.encode())) << "without a cluster id";
    EXPECT_FALSE(say(*host, 0, kStrangeNode, cluster_id(), lie.encode()));
    expect_unharmed();
}

TEST_F(RaftStrangers, a_term_of_nobody_is_not_taken_over) {
    found(3);
    auto host = stranger();
    const auto term = status(0).engine.term;
    RaftMessage lie{RaftType::append, node_of(0), kStrangeNode, ~std::uint64_t{0}};
    EXPECT_FALSE(say(*host, 0, kStrangeNode, cluster_id(), lie.encode()));
    EXPECT_EQ(status(0).engine.term, term);
    expect_unharmed();
}

TEST_F(RaftStrangers, neither_snapshots_nor_changes_are_for_strangers) {
    found(3);
    auto host = stranger();
    for (const auto purpose : {Purpose::snapshot, Purpose::change}) {
        EXPECT_FALSE(greet(*host, 0, hello(purpose, kStrangeNode, cluster_id(), 0)));
        EXPECT_FALSE(greet(*host, 0, hello(purpose, node_of(1), cluster_id(), 0)))
            << "the node of another peer";
    }
    EXPECT_TRUE(greet(*host, 0, hello(Purpose::probe, kStrangeNode, {}, 0))) << "as a joiner asks";
    EXPECT_EQ(status(0).contacts, 0u);
}

TEST_F(RaftStrangers, a_member_without_the_cluster_id_is_refused) {
    found(3);
    auto host = impersonate(2);
    const auto node = raft::make_node_id(test_peer(2), cluster_id());
    EXPECT_TRUE(greet(*host, 0, hello(Purpose::messages, node, cluster_id(), 0)));
    EXPECT_FALSE(greet(*host, 0, hello(Purpose::messages, node, {}, 0)));
}

TEST_F(RaftStrangers, a_member_that_lies_breaks_no_engine) {
    found(3);
    commit(cluster.leader(), 5);
    const int liar = follower();
    const auto id = cluster_id();
    const auto as = node_of(liar);
    auto host = impersonate(liar);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.leader() >= 0; }));
    for (int number = 0; number < 3; ++number) {
        if (number == liar) continue;
        const auto say_it = [&](RaftMessage lie) {
            lie.to = node_of(number);
            lie.from = as;
            say(*host, number, as, id, lie.encode());
        };
        RaftMessage far{RaftType::heartbeat, 0, 0, ~std::uint64_t{0}};
        say_it(far);
        RaftMessage gap{RaftType::append, 0, 0, status(number).engine.term + 1};
        gap.index = status(number).engine.last_index;
        gap.log_term = status(number).engine.term;
        gap.entries = {{2, gap.term, raft::EntryType::normal, "x"}};
        say_it(gap);
        say_it({RaftType::propose, 0, 0, status(number).engine.term});
        say_it({RaftType::read_index, 0, 0, status(number).engine.term});
        RaftMessage garbage{RaftType::propose, 0, 0, status(number).engine.term};
        garbage.entries = {{0, 0, raft::EntryType::normal, "no operations"}};
        say_it(garbage);
        RaftMessage ahead{RaftType::append_response, 0, 0, status(number).engine.term};
        ahead.index = status(number).engine.last_index + 1000;
        say_it(ahead);
    }
    host.reset();
    expect_unharmed();
}

TEST_F(RaftStrangers, a_follower_that_missed_an_addition_hears_of_it_from_a_member) {
    found(3);
    const int away = follower();
    cluster.crash(away);
    cluster.add_joiner(3);
    cluster.start(3);
    auto added = cluster.await<void>(cluster.peer(cluster.leader()).raft->add_peer(test_peer(3)));
    ASSERT_TRUE(added) << added.error().text;
    ASSERT_TRUE(cluster.run_until([&] {
        if (cluster.leader() >= 0 && cluster.leader() != 3)
            cluster.peer(cluster.leader()).raft->transfer_leadership(test_peer(3));
        return cluster.leader() == 3;
    }));
    cluster.start(away);
    EXPECT_TRUE(cluster.run_until(
        [&] { return cluster.peer(away).raft->log().members().size() == 4; }, seconds(10)));
    ASSERT_EQ(cluster.settle(), "");
    EXPECT_EQ(cluster.check_agreement(), "");
}

TEST_F(RaftStrangers, the_first_frame_is_short_and_comes_soon) {
    found(1);
    auto host = stranger();
    host->add_addresses(test_peer(0), {cluster.network.address_of(test_peer(0))});
    const auto open = [&] {
        std::vector<std::string> protocols(1, raft::kRaftProtocol);
        auto stream = cluster.await<net::StreamPtr>(
            host->open(test_peer(0), std::move(protocols), seconds(5)));
        EXPECT_TRUE(stream);
        return std::move(stream.value());
    };
    auto large = open();
    Bytes head;
    put_be32(head, 128 * 1024);
    ASSERT_TRUE(cluster.await<void>(large->write(head + Bytes(1, 1))));
    cluster.world.run_for(milliseconds(500));
    EXPECT_EQ(status(0).streams, 0u) << "nothing is read of what is too large for a hello";
    auto silent = open();
    cluster.world.run_for(seconds(1));
    EXPECT_EQ(status(0).streams, 1u);
    cluster.world.run_for(seconds(5));
    EXPECT_EQ(status(0).streams, 0u);
}

TEST_F(RaftStrangers, a_new_stream_of_a_node_replaces_the_old_one) {
    found(3);
    const int other = follower();
    const auto id = cluster_id();
    const auto as = node_of(other);
    auto host = impersonate(other);
    ASSERT_TRUE(cluster.run_until([&] { return cluster.leader() >= 0; }));
    const int lead = cluster.leader();
    const auto before = status(lead).streams;
    std::vector<raft::Greeted> open;
    for (int i = 0; i < 3; ++i) {
        auto greeted = greet(*host, lead, hello(Purpose::messages, as, id, 0));
        ASSERT_TRUE(greeted) << greeted.error().text;
        open.push_back(std::move(greeted.value()));
    }
    cluster.world.run_for(milliseconds(100));
    EXPECT_LE(status(lead).streams, before + 1);
}

}  // namespace
}  // namespace ipfscluster::sim
