#include "consensus/raft/roster.hpp"

#include <gtest/gtest.h>

#include "consensus/raft/next_in_turn.hpp"
#include "runtime/sim_world.hpp"
#include "storage/memory_store.hpp"
#include "support/pins.hpp"
#include "support/raft_messages.hpp"

namespace ipfscluster::raft {
namespace {

using test::peer;

/// Two founders, nodes 1 and 2; this peer is the first.
class RaftRoster : public testing::Test {
 protected:
    RaftRoster() {
        storage::Batch batch;
        log.set_identity(batch, Bytes(kIncarnationBytes, 'i'));
        log.found(batch, {{1, {peer(1), 1, false}}, {2, {peer(2), 1, false}}});
        EXPECT_TRUE(store.write(std::move(batch)));
        roster.become(1);
    }
    /// An entry that adds a learner, as an engine writes it.
    LogEntry addition(std::uint64_t index, NodeId node, const PeerId& who) {
        Bytes single, change;
        test::RaftMessage::number(single, 1, static_cast<std::uint64_t>(ChangeOp::add_learner));
        test::RaftMessage::number(single, 2, node);
        test::RaftMessage::text(change, 2, single);
        test::RaftMessage::text(change, 3, who.bytes());
        return {index, 1, EntryType::change, change};
    }
    void append(const LogEntry& entry) {
        storage::Batch batch;
        log.append(batch, {entry});
        ASSERT_TRUE(store.write(std::move(batch)));
    }
    SimWorld world{1};
    storage::MemoryStore store{world};
    LogStore log{store};
    Roster roster{log, peer(1), 1};
};

TEST(NextInTurn, goes_round_and_leaves_out_who_may_not_be_asked) {
    std::vector<PeerId> known{peer(1), peer(2), peer(3)};
    std::sort(known.begin(), known.end());
    const auto all = [](const PeerId&) { return true; };
    EXPECT_EQ(next_in_turn(known, PeerId(), all), known[0]);
    EXPECT_EQ(next_in_turn(known, known[0], all), known[1]);
    EXPECT_EQ(next_in_turn(known, known[2], all), known[0]);
    const auto not_first = [&](const PeerId& one) { return one != known[0]; };
    EXPECT_EQ(next_in_turn(known, known[2], not_first), known[1]);
    EXPECT_EQ(next_in_turn({known[1]}, known[1], all), known[1]);
    EXPECT_TRUE(next_in_turn(known, known[1], [](const PeerId&) { return false; }).empty());
    EXPECT_TRUE(next_in_turn({}, known[1], all).empty());
}

TEST_F(RaftRoster, knows_members_and_whose_they_are) {
    EXPECT_TRUE(roster.is_member());
    EXPECT_TRUE(roster.has(2));
    EXPECT_FALSE(roster.has(3));
    EXPECT_EQ(roster.voter_count(), 2u);
    EXPECT_EQ(roster.nodes_of(peer(2)), (std::vector<NodeId>{2}));
    EXPECT_EQ(roster.peer_of(2), peer(2));
    EXPECT_TRUE(roster.peer_of(3).empty());
    roster.contacts().note(3, peer(3), {}, {});
    EXPECT_EQ(roster.peer_of(3), peer(3));
    EXPECT_TRUE(roster.expected_peer(3).empty()) << "who talks to us is no member for that";
}

TEST_F(RaftRoster, expects_a_node_from_the_entry_that_adds_it_to_its_removal) {
    append(addition(2, 7, peer(7)));
    EXPECT_EQ(roster.expected_peer(7), peer(7)) << "written, not applied";
    EXPECT_EQ(roster.record(7), nullptr);
    LogStore reopened(store);
    ASSERT_TRUE(reopened.open());
    EXPECT_EQ(Roster(reopened, peer(1), 1).expected_peer(7), peer(7));
    storage::Batch applied;
    log.set_node(applied, 7, {peer(7), 2, false});
    log.set_applied(applied, {2, 1});
    EXPECT_TRUE(log.additions_ahead().empty());
    EXPECT_EQ(roster.expected_peer(7), peer(7));
    log.set_node(applied, 7, {peer(7), 2, true});
    EXPECT_TRUE(roster.expected_peer(7).empty());
    EXPECT_TRUE(roster.is_removed(7));
}

TEST_F(RaftRoster, an_addition_that_was_not_agreed_is_none) {
    append(addition(2, 7, peer(7)));
    append({2, 2, EntryType::normal, ""});
    EXPECT_TRUE(roster.expected_peer(7).empty());
}

TEST_F(RaftRoster, a_joiner_says_which_cluster_its_leader_named) {
    storage::MemoryStore blank{world};
    LogStore nothing{blank};
    Roster joiner{nothing, peer(3), 1};
    joiner.become(3);
    EXPECT_FALSE(joiner.is_member());
    const Bytes cluster(kClusterIdBytes, 'c');
    joiner.contacts().note(1, peer(1), cluster, {});
    EXPECT_EQ(joiner.hello(Purpose::messages, 1).cluster_id, cluster);
    EXPECT_EQ(joiner.hello(Purpose::messages, 1).wanted, 1u);
    EXPECT_TRUE(joiner.hello(Purpose::messages, 2).cluster_id.empty());
    joiner.expect_cluster(Bytes(kClusterIdBytes, 'f'));
    EXPECT_EQ(joiner.hello(Purpose::probe).cluster_id, Bytes(kClusterIdBytes, 'f'));
}

}  // namespace
}  // namespace ipfscluster::raft
