#include "consensus/raft/commit_queue.hpp"

#include <gtest/gtest.h>

#include "multi/multihash.hpp"
#include "runtime/sim_world.hpp"
#include "state/session_window.hpp"

namespace ipfscluster::raft {
namespace {

using std::chrono::seconds;

class RaftCommitQueue : public testing::Test {
 protected:
    state::LoggedOperation pin(int number, std::size_t name_bytes = 4) {
        state::LoggedOperation operation;
        operation.pin.cid = Cid::v1(
            Codec::raw, multihash_digest(HashCode::sha2_256, std::to_string(number)).value());
        operation.pin.options.replication_min = operation.pin.options.replication_max = -1;
        operation.pin.options.name = Bytes(name_bytes, 'n');
        return operation;
    }
    CommitQueue::WaiterPtr add(int number, std::size_t name_bytes = 4) {
        return queue.add(pin(number, name_bytes), world.steady_now() + seconds(10)).value();
    }
    /// Proposes under a leader; each proposal's operations.
    std::vector<std::vector<state::LoggedOperation>> propose(NodeId leader = 1,
                                                             std::uint64_t term = 1,
                                                             bool here = false) {
        std::vector<std::vector<state::LoggedOperation>> out;
        queue.propose({leader, term, here}, world.steady_now(), [&](BytesView data) {
            out.push_back(state::decode_operations(data).value());
            return true;
        });
        return out;
    }
    void apply(const std::vector<state::LoggedOperation>& operations,
               state::ApplyOutcome outcome = state::ApplyOutcome::applied) {
        queue.applied(operations,
                      std::vector<state::ApplyResult>(operations.size(), {outcome, 77}));
    }
    SimWorld world{1};
    CommitQueue queue{world.executor(), Bytes(16, 'o'), seconds(2)};
};

TEST_F(RaftCommitQueue, operations_that_wait_together_travel_together) {
    for (int i = 0; i < 700; ++i) add(i);
    const auto proposals = propose();
    ASSERT_EQ(proposals.size(), 2u);
    EXPECT_EQ(proposals[0].size(), kBatchOperationsMax);
    EXPECT_EQ(proposals[0][0].id.sequence, 1u);
    EXPECT_EQ(proposals[1].back().id.sequence, 700u);
    EXPECT_TRUE(propose().empty()) << "nothing is proposed twice without a reason";
}

TEST_F(RaftCommitQueue, entries_are_bounded_by_bytes) {
    for (int i = 0; i < 10; ++i) add(i, 60000);
    EXPECT_EQ(propose().size(), 3u);
    auto huge = queue.add(pin(11, kOperationBytesMax), world.steady_now() + seconds(1));
    ASSERT_FALSE(huge);
    EXPECT_EQ(huge.error().kind, Kind::invalid);
}

TEST_F(RaftCommitQueue, no_more_are_on_the_way_than_a_session_remembers) {
    for (int i = 0; i < 3000; ++i) add(i);
    const auto proposals = propose();
    EXPECT_EQ(proposals.back().back().id.sequence, state::kSessionWindow);
    // The first of them lingers: nothing beyond its window goes out.
    for (std::size_t i = 1; i < proposals.size(); ++i) apply(proposals[i]);
    auto rest = proposals[0];
    rest.erase(rest.begin());
    apply(rest);
    EXPECT_TRUE(propose().empty());
    apply({proposals[0][0]});
    EXPECT_FALSE(propose().empty());
}

TEST_F(RaftCommitQueue, a_new_leader_or_silence_repeats_the_same_numbers) {
    auto waiter = add(1);
    const auto first = propose(1, 1);
    const auto other_leader = propose(2, 2);
    ASSERT_EQ(other_leader.size(), 1u);
    EXPECT_EQ(other_leader[0][0].id.sequence, first[0][0].id.sequence);
    world.run_for(seconds(3));
    EXPECT_EQ(propose(2, 2).size(), 1u);
    apply(first[0]);
    ASSERT_TRUE(waiter->result);
    EXPECT_EQ(waiter->result->value().index, 77u);
    apply(other_leader[0], state::ApplyOutcome::duplicate);
    EXPECT_EQ(waiter->result->value().index, 77u) << "the first application counts";
    EXPECT_TRUE(propose(3, 3).empty());
}

TEST_F(RaftCommitQueue, a_leader_repeats_nothing_that_is_in_its_own_log) {
    add(1);
    EXPECT_EQ(propose(1, 1, true).size(), 1u);
    world.run_for(seconds(5));
    EXPECT_TRUE(propose(1, 1, true).empty()) << "a slow disk would fill the log with copies";
    EXPECT_EQ(propose(1, 2, true).size(), 1u) << "in another term it may have been replaced";
}

TEST_F(RaftCommitQueue, outcomes_become_kinds) {
    const std::vector<std::pair<state::ApplyOutcome, Kind>> cases = {
        {state::ApplyOutcome::conflict, Kind::conflict},
        {state::ApplyOutcome::not_found, Kind::not_found},
        {state::ApplyOutcome::not_expired, Kind::conflict},
        {state::ApplyOutcome::duplicate, Kind::unknown_outcome},
    };
    for (const auto& [outcome, kind] : cases) {
        auto waiter = add(1);
        apply(propose()[0], outcome);
        ASSERT_TRUE(waiter->result && !*waiter->result);
        EXPECT_EQ(waiter->result->error().kind, kind);
    }
}

TEST_F(RaftCommitQueue, time_out_is_honest_about_what_was_sent) {
    auto sent = add(1);
    propose();
    auto unsent = add(2);
    world.run_for(seconds(11));
    queue.expire(world.steady_now());
    EXPECT_EQ(sent->result->error().kind, Kind::unknown_outcome);
    EXPECT_EQ(unsent->result->error().kind, Kind::unavailable);
    EXPECT_EQ(queue.pending(), 0u);
}

TEST_F(RaftCommitQueue, what_was_given_up_unsent_does_not_travel_with_its_batch_later) {
    auto early = queue.add(pin(1), world.steady_now() + seconds(1)).value();
    auto late = queue.add(pin(2), world.steady_now() + seconds(10)).value();
    queue.propose({1, 1}, world.steady_now(), [](BytesView) { return false; });
    world.run_for(seconds(2));
    queue.expire(world.steady_now());
    ASSERT_TRUE(early->result);
    EXPECT_EQ(early->result->error().kind, Kind::unavailable);
    const auto proposals = propose();
    ASSERT_EQ(proposals.size(), 1u);
    ASSERT_EQ(proposals[0].size(), 1u) << "the first was refused: it must never happen";
    EXPECT_EQ(proposals[0][0].pin.cid, pin(2).pin.cid);
    apply(proposals[0]);
    ASSERT_TRUE(late->result);
    EXPECT_TRUE(*late->result);
}

TEST_F(RaftCommitQueue, what_its_caller_gave_up_unsent_is_never_sent) {
    auto alone = add(1);
    EXPECT_TRUE(queue.give_up(alone));
    EXPECT_EQ(queue.pending(), 0u);
    ASSERT_TRUE(alone->result);
    EXPECT_EQ(alone->result->error().kind, Kind::cancelled);
    EXPECT_TRUE(propose().empty());
    // In a batch that no leader took.
    auto given_up = add(2);
    auto other = add(3);
    queue.propose({1, 1}, world.steady_now(), [](BytesView) { return false; });
    EXPECT_TRUE(queue.give_up(given_up));
    const auto proposals = propose();
    ASSERT_EQ(proposals.size(), 1u);
    ASSERT_EQ(proposals[0].size(), 1u);
    EXPECT_EQ(proposals[0][0].pin.cid, pin(3).pin.cid);
    // What was sent may happen.
    EXPECT_FALSE(queue.give_up(other));
    EXPECT_EQ(queue.pending(), 1u);
    apply(proposals[0]);
    EXPECT_TRUE(other->result && *other->result);
}

TEST_F(RaftCommitQueue, closing_is_honest_about_what_was_sent) {
    auto sent = add(1);
    propose();
    auto unsent = add(2);
    queue.fail_all({Kind::shutting_down, "closing"});
    EXPECT_EQ(sent->result->error().kind, Kind::unknown_outcome);
    EXPECT_EQ(unsent->result->error().kind, Kind::shutting_down);
}

TEST_F(RaftCommitQueue, the_queue_is_bounded) {
    for (std::size_t i = 0; i < kCommitsPendingMax; ++i) add(static_cast<int>(i));
    auto refused = queue.add(pin(1), world.steady_now() + seconds(1));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Kind::unavailable);
}

TEST_F(RaftCommitQueue, the_queue_is_bounded_by_bytes) {
    constexpr std::size_t kBytes = 1000 * 1000;
    std::vector<CommitQueue::WaiterPtr> kept;
    Result<CommitQueue::WaiterPtr> added = fail(Kind::internal, "none yet");
    for (int i = 0; (added = queue.add(pin(i, kBytes), world.steady_now() + seconds(1))); ++i)
        kept.push_back(added.value());
    EXPECT_EQ(added.error().kind, Kind::unavailable);
    EXPECT_EQ(kept.size(), kCommitsPendingBytesMax / (kBytes + 128));
    // A result, whichever way it comes, makes room for one.
    EXPECT_TRUE(queue.give_up(kept.back()));
    EXPECT_TRUE(queue.add(pin(1, kBytes), world.steady_now() + seconds(1)));
    apply(propose()[0]);
    EXPECT_TRUE(queue.add(pin(1, kBytes), world.steady_now() + seconds(1)));
    EXPECT_FALSE(queue.add(pin(1, kBytes), world.steady_now() + seconds(1)));
    world.run_for(seconds(2));
    queue.expire(world.steady_now());
    for (std::size_t i = 0; i < kept.size(); ++i)
        EXPECT_TRUE(queue.add(pin(1, kBytes), world.steady_now() + seconds(9))) << i;
    queue.fail_all({Kind::shutting_down, "closing"});
    EXPECT_TRUE(queue.add(pin(1, kBytes), world.steady_now() + seconds(9)));
}

TEST_F(RaftCommitQueue, others_operations_are_left_alone) {
    auto waiter = add(1);
    auto operations = propose()[0];
    operations[0].id.origin = Bytes(16, 'x');
    apply(operations);
    EXPECT_FALSE(waiter->result);
}

}  // namespace
}  // namespace ipfscluster::raft
