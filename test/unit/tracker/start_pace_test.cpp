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
    /// A burst, and the strand has just come back late.
    std::uint64_t after_long_turn(SteadyTime::duration passed, std::uint64_t rows,
                                  std::uint64_t waiting = 100) {
        pace.turn_took(now + passed, kLongTurn + 1us);
        return after(passed, rows, waiting);
    }
};

TEST_F(StartPaceTest, holds_nobody_back_before_it_has_counted) {
    EXPECT_EQ(after_long_turn(0ms, 100'000), kAll);
    EXPECT_EQ(after_long_turn(9ms, 100'000), kAll);
}

TEST_F(StartPaceTest, a_burst_on_a_busy_strand_lets_few_pins_start_in_each_window) {
    after(0ms, 0);
    EXPECT_EQ(after_long_turn(100ms, 1'000), kBusyStarts);
    pace.started(5);
    EXPECT_EQ(after_long_turn(1ms, 10), kBusyStarts - 5);
    pace.started(kBusyStarts - 5);
    EXPECT_EQ(after_long_turn(8ms, 80), 0u);
    EXPECT_EQ(pace.window_end(), now + 1ms);
    EXPECT_EQ(after_long_turn(1ms, 10), kBusyStarts);
}

TEST_F(StartPaceTest, more_may_start_than_arrive_without_a_burst) {
    const auto windows = std::chrono::seconds(1) / kStartWindow;
    EXPECT_GT(kBusyStarts * static_cast<std::uint64_t>(windows), kBusyArrivals);
}

TEST_F(StartPaceTest, time_that_nobody_wants_is_used_in_a_burst_too) {
    after(0ms, 0);
    pace.turn_took(now + 99ms, kLongTurn);
    EXPECT_EQ(after(100ms, 1'000), kAll);
    EXPECT_EQ(after_long_turn(1ms, 100), kBusyStarts);
    EXPECT_EQ(after(kLongTurnFor - 1ms, 10'000), kBusyStarts);
    EXPECT_EQ(after(1ms, 100), kAll) << "the strand has come back at once since";
}

TEST_F(StartPaceTest, the_end_of_the_burst_is_seen_soon) {
    after(0ms, 0);
    after_long_turn(100ms, 1'000);
    EXPECT_EQ(after_long_turn(100ms, 0), kAll);
}

TEST_F(StartPaceTest, a_steady_trickle_is_no_burst) {
    after(0ms, 0);
    for (int i = 0; i < 20; ++i) EXPECT_EQ(after_long_turn(100ms, kBusyArrivals / 10), kAll);
}

TEST_F(StartPaceTest, a_pause_counts_by_the_rate_in_it) {
    after(0ms, 0);
    EXPECT_EQ(after_long_turn(10s, kBusyArrivals * 10), kAll);
    EXPECT_EQ(after_long_turn(10s, kBusyArrivals * 10 * 2), kBusyStarts);
}

TEST_F(StartPaceTest, the_more_wait_the_more_may_start) {
    after(0ms, 0);
    EXPECT_EQ(after_long_turn(100ms, 1'000, kCatchUp - 1), kBusyStarts);
    EXPECT_EQ(after_long_turn(10ms, 100, kCatchUp), kBusyStarts + 1);
    pace.started(kBusyStarts + 1);
    EXPECT_EQ(after_long_turn(1ms, 0, kCatchUp), 0u);
    EXPECT_EQ(after_long_turn(1ms, 0, 10 * kCatchUp), 9u);
}

TEST_F(StartPaceTest, a_long_queue_is_worked_off_at_full_speed) {
    after(0ms, 0);
    EXPECT_EQ(after_long_turn(100ms, 1'000, kHeldBackMax), kBusyStarts + kHeldBackMax / kCatchUp);
    EXPECT_EQ(after_long_turn(0ms, 0, kHeldBackMax + 1), kAll);
}

}  // namespace
}  // namespace ipfscluster::tracker
