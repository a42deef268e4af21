// Items that nobody has must not keep the others from being pinned.
#include <gtest/gtest.h>

#include "component/pin_pace.hpp"
#include "tracker_fixture.hpp"

namespace ipfscluster::tracker {
namespace {

constexpr Duration kPinTimeout = 2min;

void pin_old(Rig& rig, int n) {
    auto old = rig.fresh_pin(n);
    old.timestamp -= 48h;
    ASSERT_TRUE(rig.pin(old));
}

/// `good` pins and `dead` ones evenly among them, all too old to go first; returns when the last
/// good one was held, counted from the first.
Duration time_for_good_ones(int good, int dead, Duration limit) {
    Rig rig;
    const auto all = good + dead;
    for (int i = 0; i < all; ++i) {
        const bool is_dead = (i + 1) * dead / all != i * dead / all;
        if (is_dead) rig.ipfs.dead[cid(i)] = kPinTimeout;
        pin_old(rig, i);
    }
    const auto begin = rig.world.steady_now();
    const auto wanted = static_cast<std::size_t>(good);
    const bool done = rig.world.run_until([&] { return rig.ipfs.held.size() == wanted; }, limit);
    EXPECT_TRUE(done) << rig.ipfs.held.size() << " of " << good << " held after "
                      << format_go_duration(limit);
    return rig.world.steady_now() - begin;
}

TEST(FairnessTest, dead_pins_do_not_stop_old_ones) {
    time_for_good_ones(1000, 400, 24h);
}

TEST(FairnessTest, each_dead_pin_costs_ten_seconds_of_one_worker_and_no_more) {
    constexpr int kGood = 5000, kDead = 400;
    const auto alone = time_for_good_ones(kGood, 0, 1h);
    const auto bound = alone + kDead * Duration(10s) / TrackerOptions{}.concurrent_pins;
    const auto took = time_for_good_ones(kGood, kDead, 24h);
    EXPECT_LE(took, bound) << format_go_duration(took) << " instead of "
                           << format_go_duration(bound);
}

/// How many pins of items 0 to `count` - 1 the daemon was told of so far.
std::size_t told(const Rig& rig, int n) {
    return static_cast<std::size_t>(
        std::count(rig.ipfs.calls.begin(), rig.ipfs.calls.end(), "pin " + std::to_string(n)));
}

TEST(FairnessTest, a_slow_pin_gives_its_worker_away_and_still_succeeds) {
    Rig rig(1, {.concurrent_pins = 1});
    rig.ipfs.progress_every = 1h;
    rig.ipfs.slow_pins[cid(1)] = 100s;
    ASSERT_TRUE(rig.pin(1));
    ASSERT_TRUE(rig.pin(2));
    rig.world.run_for(9s);
    EXPECT_EQ(rig.status_name(2), "pin_queued");
    rig.world.run_for(2s);
    EXPECT_EQ(rig.status_name(2), "pinned");
    EXPECT_EQ(rig.status_name(1), "pinning");
    EXPECT_EQ(rig.tracker->slow_pins(), 1U);
    EXPECT_EQ(rig.tracker->queue_size(), 1U);
    rig.world.run_for(90s);
    EXPECT_EQ(rig.status_name(1), "pinned");
    EXPECT_EQ(rig.tracker->slow_pins(), 0U);
    EXPECT_EQ(rig.work_rows(), 0U);
    EXPECT_EQ(told(rig, 1), 1U);
}

TEST(FairnessTest, a_pin_that_goes_on_keeps_its_worker) {
    Rig rig(1, {.concurrent_pins = 1});
    rig.ipfs.slow_pins[cid(1)] = 10min;  // a block every 5 s
    ASSERT_TRUE(rig.pin(1));
    ASSERT_TRUE(rig.pin(2));
    rig.world.run_for(9min);
    EXPECT_EQ(rig.status_name(2), "pin_queued");
    EXPECT_EQ(rig.tracker->slow_pins(), 0U);
}

TEST(FairnessTest, a_slow_pin_that_is_unpinned_ends_at_once) {
    Rig rig(1, {.concurrent_pins = 1});
    rig.ipfs.dead[cid(1)] = 1h;
    ASSERT_TRUE(rig.pin(1));
    ASSERT_TRUE(rig.pin(2));
    rig.world.run_for(20s);
    ASSERT_EQ(rig.tracker->slow_pins(), 1U);
    ASSERT_TRUE(rig.unpin(1));
    rig.world.run_for(1s);
    EXPECT_EQ(rig.status_name(1), "unpinned");
    EXPECT_EQ(rig.ipfs.running_pins, 0);
    EXPECT_EQ(rig.tracker->slow_pins(), 0U);
}

TEST(FairnessTest, no_more_than_so_many_slow_pins_wait_and_the_longest_ends_for_another) {
    constexpr int kDead = 300;
    Rig rig;
    for (int i = 0; i < kDead; ++i) {
        rig.ipfs.dead[cid(i)] = 10h;
        ASSERT_TRUE(rig.pin(i));
    }
    rig.world.run_for(125s);
    EXPECT_EQ(rig.tracker->slow_pins(), 120U);
    EXPECT_EQ(rig.status_name(0), "pinning");
    rig.world.run_for(10s);
    EXPECT_EQ(rig.tracker->slow_pins(), component::kSlowPinsMax);
    const auto ended = rig.status(0).info;
    EXPECT_EQ(ended.status, TrackerStatus::pin_error);
    EXPECT_EQ(ended.error,
              "no progress for 2m10s; given up as 128 others wait without progress too");
    ASSERT_TRUE(rig.pin(kDead));
    EXPECT_TRUE(rig.wait_for(kDead, TrackerStatus::pinned, 5min));
    // Those that are just ending count too.
    EXPECT_LE(rig.ipfs.running_pins_max, static_cast<int>(component::kSlowPinsMax) +
                                             2 * (TrackerOptions{}.concurrent_pins + 1));
    rig.stop();
    EXPECT_EQ(rig.ipfs.running_pins, 0);
}

/// Twenty pins that have failed once each, all due again.
void fail_twenty(Rig& rig) {
    for (int i = 0; i < 20; ++i) {
        rig.ipfs.dead[cid(i)] = 1ms;
        ASSERT_TRUE(rig.pin(i));
    }
    rig.world.run_for(5s);
    for (int i = 0; i < 20; ++i) rig.ipfs.dead[cid(i)] = 9s;  // not slow yet
    rig.ipfs.running_pins_max = 0;
    rig.ipfs.calls.clear();
    rig.world.run_for(8s);
}

TEST(FairnessTest, retries_have_half_of_the_workers_at_most) {
    Rig rig;
    ASSERT_NO_FATAL_FAILURE(fail_twenty(rig));
    EXPECT_EQ(rig.ipfs.running_pins_max, 5);
    ASSERT_TRUE(rig.pin(100));
    EXPECT_TRUE(rig.wait_for(100, TrackerStatus::pinned, 1s));
    rig.world.run_for(1min);
    EXPECT_EQ(rig.ipfs.running_pins_max, 6) << "five retries and the new one";
}

TEST(FairnessTest, fresh_pins_that_failed_do_not_go_before_old_ones_that_were_never_tried) {
    Rig rig;
    ASSERT_NO_FATAL_FAILURE(fail_twenty(rig));
    rig.ipfs.pin_time = 1s;
    for (int i = 100; i < 200; ++i) pin_old(rig, i);
    rig.world.run_for(1min);
    // One retry runs beside the ten workers, and those five end that ran before.
    EXPECT_EQ(rig.ipfs.held.size(), 100U);
    const auto last =
        std::find(rig.ipfs.calls.rbegin(), rig.ipfs.calls.rend(), "pin " + cid(199).to_string());
    const auto retries = std::count_if(last, rig.ipfs.calls.rend(),
                                       [](const auto& call) { return call.size() < 8; });
    EXPECT_GE(retries, 6);
    EXPECT_LE(retries, 8);
}

TEST(FairnessTest, a_retry_is_tried_though_new_pins_never_stop_coming) {
    Rig rig;
    rig.ipfs.pin_errors[cid(0)] = {{Kind::timeout, "no providers found"}};
    ASSERT_TRUE(rig.pin(0));
    ASSERT_TRUE(rig.wait_for(0, TrackerStatus::pin_error));
    rig.ipfs.pin_time = 1s;
    int next = 100;
    const auto begin = rig.world.steady_now();
    while (!rig.ipfs.held.contains(cid(0)) && rig.world.steady_now() < begin + 1min) {
        for (int i = 0; i < 20; ++i) ASSERT_TRUE(rig.pin(next++));  // twice what can be done
        rig.world.run_for(1s);
    }
    EXPECT_LE(rig.world.steady_now() - begin, 13s);
}

TEST(FairnessTest, unpins_that_fail_do_not_keep_the_others_back_and_are_tried_again) {
    Rig rig;
    rig.ipfs.pin_time = 1ms;
    for (int i = 0; i < 500; ++i) ASSERT_TRUE(rig.pin(i));
    ASSERT_TRUE(rig.world.run_until([&] { return rig.ipfs.held.size() == 500; }, 1h));
    for (int i = 0; i < 300; ++i) {
        for (int n = 0; n < 4; ++n)
            rig.ipfs.unpin_errors[cid(i)].push_back({Kind::internal, "refused"});
        ASSERT_TRUE(rig.unpin(i));
    }
    rig.world.run_for(10s);  // all have failed, the first are due again
    rig.ipfs.unpin_time = 1s;
    for (int i = 300; i < 500; ++i) ASSERT_TRUE(rig.unpin(i));
    rig.world.run_for(90s);
    EXPECT_EQ(rig.ipfs.held.size(), 300U) << "what never failed is gone";
    rig.ipfs.unpin_time = 1ms;
    EXPECT_TRUE(rig.world.run_until([&] { return rig.ipfs.held.empty(); }, 1h));
}

TEST(FairnessTest, recovering_one_item_does_not_wait_for_its_back_off_nor_for_other_retries) {
    Rig rig(1, {.concurrent_pins = 2});
    for (int i = 0; i < 300; ++i) {
        rig.ipfs.dead[cid(i)] = 1ms;
        ASSERT_TRUE(rig.pin(i));
    }
    rig.world.run_for(5min);
    for (int i = 0; i < 300; ++i) rig.ipfs.dead[cid(i)] = kPinTimeout;
    rig.world.run_for(20min);  // all are due, and one is tried every ten seconds
    rig.ipfs.dead.erase(cid(299));
    rig.ipfs.dead.erase(cid(7));
    for (const int n : {7, 299}) {
        auto row = drive(rig.world, rig.tracker->recover(cid(n)));
        ASSERT_TRUE(row);
        EXPECT_EQ(row.value().info.status, TrackerStatus::pin_queued) << n;
        EXPECT_TRUE(rig.wait_for(n, TrackerStatus::pinned, 21s)) << n;
    }
}

TEST(FairnessTest, the_peers_own_recovery_leaves_back_off_alone) {
    Rig rig;
    rig.ipfs.dead[cid(1)] = 1ms;
    ASSERT_TRUE(rig.pin(1));
    ASSERT_TRUE(rig.pin(2));
    rig.world.run_for(11min);  // the next try is minutes away
    const auto tried = told(rig, 1);
    rig.ipfs.held.erase(cid(2));
    const auto lost = rig.all(rig.tracker->recover_lost());
    ASSERT_EQ(lost.size(), 1U);
    EXPECT_EQ(lost[0].cid, cid(2));
    rig.world.run_for(1s);
    EXPECT_EQ(rig.status_name(2), "pinned");
    EXPECT_EQ(rig.status_name(1), "pin_error");
    EXPECT_EQ(told(rig, 1), tried);
    EXPECT_EQ(rig.all(rig.tracker->recover_all()).size(), 1U);
    rig.world.run_for(1s);
    EXPECT_EQ(told(rig, 1), tried + 1) << "who asks for it is obeyed";
}

TEST(FairnessTest, what_was_lost_and_failed_unpins_do_not_wait_behind_dead_pins) {
    Rig rig;
    for (int i = 0; i < 1000; ++i) {
        rig.ipfs.dead[cid(i)] = 1ms;
        ASSERT_TRUE(rig.pin(i));
    }
    rig.world.run_for(1h);
    for (int i = 0; i < 1000; ++i) rig.ipfs.dead[cid(i)] = kPinTimeout;
    ASSERT_TRUE(rig.pin(2000));
    ASSERT_TRUE(rig.pin(2001));
    rig.world.run_for(20min);  // all dead ones are due, and one of them is tried every two seconds
    ASSERT_TRUE(rig.ipfs.held.erase(cid(2000)));
    rig.ipfs.unpin_errors[cid(2001)] = {{Kind::internal, "refused"}};
    ASSERT_TRUE(rig.unpin(2001));
    EXPECT_EQ(rig.all(rig.tracker->recover_lost()).size(), 1U);
    EXPECT_TRUE(rig.wait_for(2000, TrackerStatus::pinned, 1s));
    EXPECT_TRUE(rig.wait_for(2001, TrackerStatus::unpinned, 12s));
}

}  // namespace
}  // namespace ipfscluster::tracker
