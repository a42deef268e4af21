#include "consensus/raft/read_rounds.hpp"

#include <gtest/gtest.h>

namespace ipfscluster::raft {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class RaftReadRounds : public testing::Test {
 protected:
    std::optional<Bytes> next(NodeId leader = 1, std::uint64_t term = 1) {
        return rounds.next(leader, term, now);
    }
    ReadRounds rounds{"this start", seconds(1)};
    SteadyTime now{};
};

TEST_F(RaftReadRounds, nothing_is_asked_for_nobody_or_of_nobody) {
    EXPECT_FALSE(rounds.has_new());
    EXPECT_FALSE(next());
    rounds.join();
    EXPECT_TRUE(rounds.has_new());
    EXPECT_FALSE(next(0));
    EXPECT_TRUE(next());
    EXPECT_FALSE(rounds.has_new()) << "one at a time";
}

TEST_F(RaftReadRounds, one_question_serves_all_who_came_before_it) {
    const auto first = rounds.join();
    const auto second = rounds.join();
    const auto question = next();
    ASSERT_TRUE(question);
    const auto late = rounds.join();
    EXPECT_FALSE(next()) << "the next is asked when this one is answered";
    rounds.answered(*question, 7);
    EXPECT_EQ(rounds.index_for(first), 7u);
    EXPECT_EQ(rounds.index_for(second), 7u);
    EXPECT_FALSE(rounds.index_for(late)) << "what was acknowledged since the question is not in it";
    const auto other = next();
    ASSERT_TRUE(other);
    rounds.answered(*other, 9);
    EXPECT_EQ(rounds.index_for(late), 9u);
    EXPECT_FALSE(next()) << "everybody is served";
}

TEST_F(RaftReadRounds, a_lost_question_is_asked_again) {
    const auto reader = rounds.join();
    const auto lost = next();
    now += milliseconds(900);
    EXPECT_FALSE(next());
    now += milliseconds(100);
    const auto again = next();
    ASSERT_TRUE(again);
    EXPECT_NE(*again, *lost);
    // It was only late: it is good for those who came before it, and the second changes nothing.
    rounds.answered(*lost, 5);
    EXPECT_EQ(rounds.index_for(reader), 5u);
    rounds.answered(*again, 6);
    rounds.answered(*lost, 5);
    EXPECT_EQ(rounds.index_for(reader), 6u);
}

TEST_F(RaftReadRounds, a_change_of_leader_shows_that_it_was_lost) {
    rounds.join();
    EXPECT_TRUE(next(1, 1));
    EXPECT_FALSE(next(1, 1));
    EXPECT_TRUE(next(2, 2));
    EXPECT_TRUE(next(2, 3));
}

TEST_F(RaftReadRounds, answers_to_others_are_left_alone) {
    const auto reader = rounds.join();
    auto question = next();
    ASSERT_TRUE(question);
    question->front() = 'T';
    rounds.answered(*question, 7);
    rounds.answered("", 7);
    EXPECT_FALSE(rounds.index_for(reader));
}

}  // namespace
}  // namespace ipfscluster::raft
