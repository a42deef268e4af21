#include "consensus/raft/message_check.hpp"

#include <gtest/gtest.h>

#include "consensus/raft/cluster_facts.hpp"
#include "state/state.hpp"
#include "support/pins.hpp"
#include "support/raft_messages.hpp"
#include "unit/consensus_raft/memory_log.hpp"

namespace ipfscluster::raft {
namespace {

using test::RaftMessage;
using test::RaftType;

Result<> sender(RaftType type, NodeId from) {
    RaftMessage message{type, 1, from, 5};
    return check_sender(read_message(message.encode()).value(), 2, 1,
                        [](NodeId id) { return id <= 3; });
}

TEST(raft_message_check, a_stream_speaks_for_its_node) {
    for (const auto type : {RaftType::propose, RaftType::append, RaftType::append_response,
                            RaftType::vote, RaftType::heartbeat, RaftType::transfer_leader,
                            RaftType::timeout_now, RaftType::read_index})
        EXPECT_TRUE(sender(type, 2)) << static_cast<int>(type);
    for (const auto type : {RaftType::append, RaftType::append_response, RaftType::vote,
                            RaftType::heartbeat, RaftType::timeout_now})
        EXPECT_FALSE(sender(type, 3)) << static_cast<int>(type);
}

TEST(raft_message_check, what_is_passed_on_to_a_new_leader_keeps_a_members_name) {
    for (const auto type : {RaftType::propose, RaftType::transfer_leader, RaftType::read_index}) {
        EXPECT_TRUE(sender(type, 3)) << static_cast<int>(type);
        EXPECT_FALSE(sender(type, 4)) << static_cast<int>(type);
    }
    RaftMessage elsewhere{RaftType::heartbeat, 9, 2, 5};
    EXPECT_FALSE(
        check_sender(read_message(elsewhere.encode()).value(), 2, 1, [](NodeId) { return true; }));
}

Result<> proposal(std::vector<LogEntry> entries) {
    RaftMessage message{RaftType::propose, 1, 2};
    message.entries = std::move(entries);
    const auto bytes = message.encode();
    return check_proposal(read_message(bytes).value(), bytes, state::kFeatureLevel);
}

/// An entry that changes the members, as an engine makes it.
LogEntry change(ChangeOp op, NodeId id, BytesView context) {
    StepCluster cluster({1, 2, 3});
    cluster.elect(1);
    EXPECT_TRUE(cluster.node(1).engine->propose_change(op, id, context));
    cluster.deliver();
    return cluster.node(1).log.stored.rbegin()->second;
}

TEST(raft_message_check, nothing_is_proposed_that_a_member_cannot_apply) {
    state::LoggedOperation operation;
    operation.pin.cid = test::cid(1);
    const auto good = state::encode_operations({operation});
    EXPECT_TRUE(proposal({{0, 0, EntryType::normal, good}}));
    EXPECT_FALSE(proposal({}));
    EXPECT_FALSE(proposal({{0, 0, EntryType::normal, "no operations"}}));
    EXPECT_FALSE(proposal({{0, 0, EntryType::normal, good}, {0, 0, EntryType::normal, "x"}}));
    EXPECT_FALSE(proposal({{0, 0, EntryType::change, "x"}}));
    EXPECT_FALSE(proposal({{0, 0, EntryType::change, ""}})) << "no change at all";
    EXPECT_TRUE(proposal({change(ChangeOp::add_learner, 4, test::peer(4).bytes())}));
    EXPECT_FALSE(proposal({change(ChangeOp::add_learner, 4, "nobody")}));
    EXPECT_TRUE(proposal({change(ChangeOp::remove, 3, "")}));
}

TEST(raft_message_check, no_fact_is_proposed_that_a_member_cannot_take) {
    const auto fact = [](state::FactKind kind, Bytes payload) {
        state::LoggedOperation operation;
        operation.fact = kind;
        operation.payload = std::move(payload);
        operation.level = state::kFeatureLevel;
        return proposal({{0, 0, EntryType::normal, state::encode_operations({operation})}});
    };
    const component::Cordon drained{component::Cordon::Kind::draining, true, Time(Duration(5))};
    EXPECT_TRUE(fact(state::FactKind::cordon, encode_cordon_fact({test::peer(2), drained})));
    EXPECT_FALSE(fact(state::FactKind::cordon, "no cordon"));
    // No build could start again with this one.
    EXPECT_FALSE(fact(state::FactKind::feature_level, encode_level_fact(~std::uint32_t{0})));
    EXPECT_FALSE(fact(state::FactKind::feature_level, encode_level_fact(state::kFeatureLevel)));
}

}  // namespace
}  // namespace ipfscluster::raft
