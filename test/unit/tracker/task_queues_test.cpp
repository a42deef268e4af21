#include "tracker/task_queues.hpp"

#include <gtest/gtest.h>

#include "runtime/sim_world.hpp"
#include "support/pins.hpp"

namespace ipfscluster::tracker {
namespace {

struct TaskQueuesTest : ::testing::Test {
    SimWorld world{1};
    TaskQueues lines;

    TaskPtr task(int n) {
        return std::make_shared<Task>(world.executor(),
                                      state::WorkRow{state::WorkLane::pin, 1, test::cid(n)});
    }
    void push(Line line, int count) {
        for (int i = 0; i < count; ++i) lines.push(line, task(i));
    }
};

TEST_F(TaskQueuesTest, each_kind_gets_its_turn_however_long_the_others_are) {
    push(Line::fresh, 100);
    push(Line::older, 100);
    push(Line::lost, 100);
    for (int i = 0; i < 90; ++i) ASSERT_NE(lines.next_untried(), nullptr);
    EXPECT_EQ(lines.size(Line::fresh), 20u);
    EXPECT_EQ(lines.size(Line::older), 95u);
    EXPECT_EQ(lines.size(Line::lost), 95u);
    push(Line::fresh_retry, 100);
    push(Line::retry, 100);
    for (int i = 0; i < 90; ++i) ASSERT_NE(lines.next_retry(), nullptr);
    EXPECT_EQ(lines.size(Line::fresh_retry), 20u);
    EXPECT_EQ(lines.size(Line::retry), 90u);
    push(Line::asked, 1);
    ASSERT_NE(lines.next_retry(), nullptr);
    EXPECT_EQ(lines.size(Line::asked), 0u);
}

TEST_F(TaskQueuesTest, what_had_its_turn_already_is_first) {
    push(Line::fresh, 10);
    push(Line::older, 10);
    const auto first = task(50);
    lines.push(Line::alone, first);
    EXPECT_EQ(lines.untried_size(), 21u);
    EXPECT_EQ(lines.first_untried(), first);
    EXPECT_EQ(lines.next_untried(), first);
    EXPECT_NE(lines.next_untried(), nullptr);
    EXPECT_EQ(lines.untried_size(), 19u);
}

TEST_F(TaskQueuesTest, a_task_that_runs_already_is_passed_over) {
    const auto both = task(1);
    lines.push(Line::older, both);
    lines.push(Line::fresh, both);
    EXPECT_EQ(lines.next_untried(), both);
    both->running = true;
    EXPECT_FALSE(lines.untried_pins());
    EXPECT_EQ(lines.next_untried(), nullptr);
    EXPECT_EQ(lines.size(Line::older), 0u);
}

TEST_F(TaskQueuesTest, nothing_is_read_for_lines_of_which_one_is_more_than_half_full) {
    EXPECT_EQ(lines.room({Line::lost, Line::retry}), kTrackerBatchMax);
    push(Line::retry, 100);
    EXPECT_EQ(lines.room({Line::lost, Line::retry}), kTrackerBatchMax - 100);
    push(Line::retry, 29);
    EXPECT_EQ(lines.room({Line::lost, Line::retry}), 0u);
    EXPECT_EQ(lines.room({Line::lost}), kTrackerBatchMax);
}

}  // namespace
}  // namespace ipfscluster::tracker
