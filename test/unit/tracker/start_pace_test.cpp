#include "tracker/start_pace.hpp"

#include <gtest/gtest.h>

namespace ipfscluster::tracker {
namespace {

using namespace std::chrono_literals;

constexpr auto kAll = std::numeric_limits<std::uint64_t>::max();

struct StartPaceTest : ::testing::Test {
    StartPace pace;
    SteadyTime now{1h};
    std::uint64_t added = 7;

    std::uint64_t after(SteadyTime::duration passed, std::uint64_t rows,
                        std::uint64_t waiting = 100) {
        now += passed;
        added += rows;
        return pace.allowed(now, added, waiting);
    }
};

TEST_F(StartPaceTest, holds_nobody_back_before_it_has_seen_a_window) {
    EXPECT_EQ(after(0ms, 100'000), kAll);
    EXPECT_EQ(after(50ms, 100'000), kAll);
}

TEST_F(StartPaceTest, a_burst_lets_few_tasks_start_in_each_window) {
    after(0ms, 0);
    EXPECT_EQ(after(100ms, 1'000), kBusyStarts / 10);
    for (std::uint64_t i = 0; i < kBusyStarts / 10; ++i) pace.started();
    EXPECT_EQ(after(99ms, 1'000), 0u);
    EXPECT_EQ(pace.window_end(), now + 1ms);
    EXPECT_EQ(after(1ms, 0), kBusyStarts / 10);
}

TEST_F(StartPaceTest, the_end_of_the_burst_is_seen_after_one_window) {
    after(0ms, 0);
    after(100ms, 1'000);
    EXPECT_EQ(after(100ms, 0), kAll);
}

TEST_F(StartPaceTest, a_steady_trickle_is_no_burst) {
    after(0ms, 0);
    for (int i = 0; i < 20; ++i) EXPECT_EQ(after(100ms, kBusyArrivals / 10), kAll);
}

TEST_F(StartPaceTest, a_pause_counts_by_the_rate_in_it) {
    after(0ms, 0);
    EXPECT_EQ(after(10s, kBusyArrivals * 10), kAll);
    EXPECT_EQ(after(10s, kBusyArrivals * 10 * 2), kBusyStarts / 10);
}

TEST_F(StartPaceTest, a_long_queue_is_worked_off_at_full_speed) {
    after(0ms, 0);
    EXPECT_EQ(after(100ms, 1'000, kHeldBackMax), kBusyStarts / 10);
    EXPECT_EQ(after(0ms, 0, kHeldBackMax + 1), kAll);
}

}  // namespace
}  // namespace ipfscluster::tracker
