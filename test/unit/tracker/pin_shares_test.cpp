#include "tracker/pin_shares.hpp"

#include <gtest/gtest.h>

namespace ipfscluster::tracker {
namespace {

using namespace std::chrono_literals;
using component::PinPace;

constexpr SteadyTime kBegin{1h};

TEST(PinPaceTest, nothing_is_slow_before_the_daemon_was_told) {
    PinPace pace;
    EXPECT_FALSE(pace.slow(kBegin + 24h));
    EXPECT_EQ(pace.slow_from(), std::nullopt);
}

TEST(PinPaceTest, ten_seconds_without_anything_make_it_slow_and_who_goes_on_has_twice_the_time) {
    PinPace pace;
    pace.moved(kBegin);
    EXPECT_FALSE(pace.slow(kBegin + 9999ms));
    EXPECT_TRUE(pace.slow(kBegin + 10s));
    pace.moved(kBegin + 9s);
    EXPECT_FALSE(pace.slow(kBegin + 18s)) << "something came in time";
    pace.moved(kBegin + 60s);
    EXPECT_FALSE(pace.slow(kBegin + 79s)) << "it was not dead";
    EXPECT_TRUE(pace.slow(kBegin + 80s));
    EXPECT_EQ(pace.moved_at(), kBegin + 60s);
}

/// Begins an attempt that the daemon was told of at `now`.
PinShares::Place& begun(PinShares& shares, PinTurn turn, SteadyTime now) {
    auto& place = shares.begin(turn);
    place.pace.moved(now);
    return place;
}

TEST(PinSharesTest, what_was_never_tried_is_first_in_line_for_each_worker) {
    PinShares shares(3);
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(shares.turn(true, true), PinTurn::untried);
        shares.begin(PinTurn::untried);
    }
    EXPECT_EQ(shares.turn(true, false), PinTurn::nobody);
}

TEST(PinSharesTest, retries_have_half_of_the_workers) {
    PinShares shares(4);
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(shares.turn(false, true), PinTurn::retry);
        shares.begin(PinTurn::retry);
    }
    EXPECT_EQ(shares.turn(false, true), PinTurn::nobody);
    EXPECT_EQ(shares.turn(true, true), PinTurn::untried);
}

TEST(PinSharesTest, one_retry_runs_beside_the_workers_while_others_have_them_all) {
    PinShares shares(2);
    shares.begin(PinTurn::untried);
    auto& other = shares.begin(PinTurn::untried);
    ASSERT_EQ(shares.turn(true, true), PinTurn::retry_beside);
    auto& beside = shares.begin(PinTurn::retry_beside);
    EXPECT_EQ(shares.turn(true, true), PinTurn::nobody);
    shares.end(other);
    EXPECT_EQ(shares.turn(true, true), PinTurn::untried) << "it holds no worker";
    shares.begin(PinTurn::untried);
    shares.end(beside);
    EXPECT_EQ(shares.turn(true, true), PinTurn::retry_beside);
}

TEST(PinSharesTest, the_only_worker_is_for_a_retry_when_nobody_else_wants_it) {
    PinShares shares(1);
    EXPECT_EQ(shares.turn(true, true), PinTurn::untried);
    EXPECT_EQ(shares.turn(false, true), PinTurn::retry);
}

TEST(PinSharesTest, a_slow_attempt_gives_its_worker_away_and_waits_on) {
    PinShares shares(1);
    auto& dead = begun(shares, PinTurn::untried, kBegin);
    EXPECT_EQ(shares.next_slow(kBegin), kBegin + 10s);
    EXPECT_TRUE(shares.take_workers(kBegin + 9s).empty());
    EXPECT_EQ(shares.turn(true, false), PinTurn::nobody);
    EXPECT_TRUE(shares.take_workers(kBegin + 10s).empty());
    EXPECT_EQ(shares.turn(true, false), PinTurn::untried);
    EXPECT_EQ(shares.slow(), 1u);
    EXPECT_EQ(shares.next_slow(kBegin + 10s), std::nullopt);
    shares.begin(PinTurn::untried);
    EXPECT_EQ(shares.next_slow(kBegin + 10s), kBegin + 20s) << "it may be told at any moment";
    shares.end(dead);
    EXPECT_EQ(shares.slow(), 0u);
}

TEST(PinSharesTest, a_slow_retry_makes_room_for_the_next_one) {
    PinShares shares(1);
    shares.begin(PinTurn::untried);
    begun(shares, PinTurn::retry_beside, kBegin);
    shares.take_workers(kBegin + 10s);
    EXPECT_EQ(shares.turn(true, true), PinTurn::retry_beside);
}

TEST(PinSharesTest, a_slow_attempt_that_goes_on_counts_again) {
    PinShares shares(1);
    auto& first = begun(shares, PinTurn::untried, kBegin);
    shares.take_workers(kBegin + 10s);
    auto& second = begun(shares, PinTurn::untried, kBegin + 10s);
    first.pace.moved(kBegin + 15s);
    shares.take_workers(kBegin + 20s);
    EXPECT_EQ(shares.slow(), 1u) << "the second one";
    EXPECT_EQ(shares.turn(true, false), PinTurn::nobody);
    second.pace.moved(kBegin + 21s);
    shares.take_workers(kBegin + 35s);
    EXPECT_EQ(shares.slow(), 1u) << "the first one, after twice the time";
    EXPECT_EQ(shares.turn(true, false), PinTurn::nobody);
}

TEST(PinSharesTest, the_one_without_anything_for_the_longest_ends_for_another) {
    PinShares shares(3, 2);
    auto& first = begun(shares, PinTurn::untried, kBegin);
    auto& second = begun(shares, PinTurn::untried, kBegin + 1s);
    EXPECT_TRUE(shares.take_workers(kBegin + 11s).empty());
    first.pace.moved(kBegin + 15s);
    begun(shares, PinTurn::untried, kBegin + 20s);
    EXPECT_TRUE(shares.take_workers(kBegin + 30s).empty());
    EXPECT_EQ(shares.slow(), 2u);
    const auto ending = shares.take_workers(kBegin + 35s);
    ASSERT_EQ(ending.size(), 1u);
    EXPECT_EQ(ending[0], &second);
    EXPECT_EQ(shares.slow(), 2u);
    EXPECT_TRUE(shares.take_workers(kBegin + 36s).empty()) << "nobody is told twice";
    shares.end(second);
    EXPECT_EQ(shares.slow(), 2u);
}

TEST(PinSharesTest, another_call_of_an_attempt_begins_anew) {
    PinShares shares(2, 1);
    auto& slow = begun(shares, PinTurn::untried, kBegin);
    shares.take_workers(kBegin + 10s);
    shares.again(slow);
    EXPECT_EQ(shares.slow(), 0u);
    begun(shares, PinTurn::untried, kBegin + 10s);
    EXPECT_TRUE(shares.take_workers(kBegin + 20s).empty());
    EXPECT_EQ(shares.slow(), 1u);
    EXPECT_EQ(shares.turn(true, false), PinTurn::untried) << "one of the two workers";
}

TEST(UnpinSharesTest, retries_have_one_of_nine_turns_and_half_of_the_workers) {
    UnpinShares shares(4);
    EXPECT_EQ(shares.turn(false, false), PinTurn::nobody);
    std::string turns;
    for (int i = 0; i < 20; ++i) {
        const bool retry = shares.turn(true, true) == PinTurn::retry;
        turns += retry ? 'r' : '.';
        shares.begin(retry);
        shares.end(retry);
    }
    EXPECT_EQ(turns, "........r........r..");
    shares.begin(true);
    shares.begin(true);
    EXPECT_EQ(shares.turn(false, true), PinTurn::nobody);
    EXPECT_EQ(shares.turn(true, true), PinTurn::untried);
    shares.begin(false);
    shares.begin(false);
    EXPECT_EQ(shares.turn(true, true), PinTurn::nobody);
}

}  // namespace
}  // namespace ipfscluster::tracker
