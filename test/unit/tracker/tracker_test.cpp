#include "tracker/tracker.hpp"

#include <gtest/gtest.h>

#include "tracker/task_queues.hpp"
#include "tracker_fixture.hpp"

namespace ipfscluster::tracker {
namespace {

using Calls = std::vector<std::string>;
const Error kNoProviders{Kind::timeout, "no providers found"};

/// Pins items 0 to `count` - 1 and waits until the daemon holds them.
void hold_many(Rig& rig, int count) {
    rig.ipfs.pin_time = 1ms;
    for (int i = 0; i < count; ++i) ASSERT_TRUE(rig.pin(i));
    const auto wanted = static_cast<std::size_t>(count);
    ASSERT_TRUE(rig.world.run_until([&] { return rig.ipfs.held.size() == wanted; }, 1h));
}

/// The most items under way, looked at once a second.
std::size_t most_active(Rig& rig, int seconds) {
    std::size_t most = 0;
    for (int second = 0; second < seconds; ++second) {
        rig.world.run_for(1s);
        most = std::max(most, rig.tracker->active());
    }
    return most;
}

TEST(TrackerTest, pin_is_queued_then_running_then_pinned) {
    Rig rig(1, {.concurrent_pins = 1});
    rig.ipfs.pin_time = 10s;
    ASSERT_TRUE(rig.pin(0));
    ASSERT_TRUE(rig.pin(1));
    rig.world.run_for(1s);
    EXPECT_EQ(rig.status_name(1), "pin_queued");
    EXPECT_EQ(rig.tracker->queue_size(), 2U);
    rig.world.run_for(10s);
    EXPECT_EQ(rig.status_name(1), "pinning");
    EXPECT_EQ(rig.tracker->progress(cid(1))->bytes, 100U);
    rig.world.run_for(10s);
    const auto row = rig.status(1);
    EXPECT_EQ(row.info.status, TrackerStatus::pinned);
    EXPECT_EQ(row.info.peername, "the peer");
    EXPECT_EQ(row.peer, peer(1));
    EXPECT_EQ(row.info.error, "");
    EXPECT_TRUE(rig.ipfs.held.contains(cid(1)));
    EXPECT_EQ(rig.tracker->queue_size(), 0U);
    EXPECT_EQ(rig.work_rows(), 0U);
}

TEST(TrackerTest, unpin_removes_and_forgets) {
    Rig rig;
    ASSERT_TRUE(rig.pin(1));
    ASSERT_TRUE(rig.wait_for(1, TrackerStatus::pinned));
    rig.ipfs.unpin_time = 1s;
    ASSERT_TRUE(rig.unpin(1));
    rig.world.run_for(100ms);
    EXPECT_EQ(rig.status_name(1), "unpinning");
    rig.world.run_for(2s);
    EXPECT_EQ(rig.status_name(1), "unpinned");
    EXPECT_FALSE(rig.ipfs.held.contains(cid(1)));
    EXPECT_EQ(rig.tracker->queue_size(), 0U);
}

TEST(TrackerTest, damaged_records_are_failed_pins_and_hinder_nobody) {
    Rig rig;
    rig.ipfs.unpin_errors[cid(4)] = {{Kind::internal, "refused"}};
    for (const int n : {1, 2, 3, 4}) {
        ASSERT_TRUE(rig.pin(n));
        ASSERT_TRUE(rig.wait_for(n, TrackerStatus::pinned));
    }
    ASSERT_TRUE(rig.unpin(4));
    ASSERT_TRUE(rig.wait_for(4, TrackerStatus::unpin_error));
    storage::Batch batch;
    for (const int n : {1, 2, 4}) batch.put(storage::Family::tracker, cid(n).bytes(), "x");
    ASSERT_TRUE(rig.store->write(std::move(batch)));
    rig.restart();
    EXPECT_EQ(rig.all(rig.tracker->status_all(0)).size(), 4U);
    EXPECT_EQ(rig.status_name(3), "pinned");
    rig.ipfs.held.erase(cid(1));
    ASSERT_TRUE(rig.unpin(2));
    rig.all(rig.tracker->recover_lost());
    rig.world.run_for(1min);
    EXPECT_EQ(rig.status_name(1), "pinned");
    EXPECT_TRUE(rig.ipfs.held.contains(cid(1)));
    for (const int n : {2, 4}) {
        EXPECT_FALSE(rig.ipfs.held.contains(cid(n))) << n;
        EXPECT_EQ(rig.status_name(n), "unpinned") << n;
    }
    EXPECT_EQ(rig.work_rows(), 0U);
}

TEST(TrackerTest, unpin_wins_over_a_running_pin) {
    Rig rig;
    rig.ipfs.pin_time = 1h;
    ASSERT_TRUE(rig.pin(1));
    rig.world.run_for(1s);
    ASSERT_TRUE(rig.unpin(1));
    rig.world.run_for(1s);
    EXPECT_EQ(rig.ipfs.calls, (Calls{"pin 1", "cancelled 1", "unpin 1"}));
    EXPECT_EQ(rig.status_name(1), "unpinned");
    EXPECT_EQ(rig.work_rows(), 0U);
    EXPECT_EQ(rig.tracker->queue_size(), 0U);
}

TEST(TrackerTest, pin_during_a_running_unpin_is_done_after_it) {
    Rig rig;
    ASSERT_TRUE(rig.pin(1));
    ASSERT_TRUE(rig.wait_for(1, TrackerStatus::pinned));
    rig.ipfs.unpin_time = 10s;
    ASSERT_TRUE(rig.unpin(1));
    rig.world.run_for(1s);
    ASSERT_TRUE(rig.pin(1));
    rig.world.run_for(20s);
    EXPECT_EQ(rig.ipfs.calls, (Calls{"pin 1", "unpin 1", "pin 1"}));
    EXPECT_EQ(rig.status_name(1), "pinned");
    EXPECT_TRUE(rig.ipfs.held.contains(cid(1)));
    EXPECT_EQ(rig.work_rows(), 0U);
}

TEST(TrackerTest, pin_changed_while_it_runs_is_told_again) {
    Rig rig;
    rig.ipfs.pin_time = 10s;
    ASSERT_TRUE(rig.pin(1));
    rig.world.run_for(1s);
    auto direct = rig.fresh_pin(1);
    direct.max_depth = kDepthDirect;
    ASSERT_TRUE(rig.pin(direct));
    rig.world.run_for(30s);
    EXPECT_EQ(rig.status_name(1), "pinned");
    EXPECT_EQ(rig.ipfs.held.at(cid(1)).max_depth, kDepthDirect);
    EXPECT_EQ(rig.work_rows(), 0U);
}

TEST(TrackerTest, failure_is_shown_and_tried_again_later_each_time) {
    Rig rig;
    rig.ipfs.pin_errors[cid(1)] = {kNoProviders, {Kind::timeout, "still none"}};
    ASSERT_TRUE(rig.pin(1));
    rig.world.run_for(1s);
    auto row = rig.status(1);
    EXPECT_EQ(row.info.status, TrackerStatus::pin_error);
    EXPECT_EQ(row.info.error, "no providers found");
    EXPECT_EQ(row.info.attempt_count, 1);
    EXPECT_EQ(rig.tracker->queue_size(), 0U) << "what waits for its retry is not queued";
    rig.world.run_for(10s);
    row = rig.status(1);
    EXPECT_EQ(row.info.error, "still none");
    EXPECT_EQ(row.info.attempt_count, 2);
    rig.world.run_for(10s);
    EXPECT_EQ(rig.status(1).info.attempt_count, 2) << "the second wait is longer";
    rig.world.run_for(11s);
    row = rig.status(1);
    EXPECT_EQ(row.info.status, TrackerStatus::pinned);
    EXPECT_EQ(row.info.error, "");
    EXPECT_EQ(rig.work_rows(), 0U);
}

TEST(TrackerTest, failed_unpin_stays_visible_and_is_recovered) {
    Rig rig;
    ASSERT_TRUE(rig.pin(1));
    ASSERT_TRUE(rig.wait_for(1, TrackerStatus::pinned));
    rig.ipfs.unpin_errors[cid(1)] = {{Kind::internal, "the daemon refused"}};
    ASSERT_TRUE(rig.unpin(1));
    rig.world.run_for(1s);
    const auto rows = rig.all(rig.tracker->status_all(0));
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].info.status, TrackerStatus::unpin_error);
    EXPECT_EQ(rows[0].info.error, "the daemon refused");
    const auto recovered = drive(rig.world, rig.tracker->recover(cid(1)));
    ASSERT_TRUE(recovered);
    EXPECT_EQ(recovered.value().info.status, TrackerStatus::unpin_queued);
    rig.world.run_for(1s);
    EXPECT_EQ(rig.status_name(1), "unpinned");
    EXPECT_EQ(rig.work_rows(), 0U);
}

TEST(TrackerTest, at_most_concurrent_pins_run_and_unpins_do_not_wait_for_them) {
    Rig rig(1, {.concurrent_pins = 3});
    rig.ipfs.pin_time = 1h;
    ASSERT_TRUE(rig.pin(15));
    rig.ipfs.slow_pins[cid(15)] = 1ms;
    ASSERT_TRUE(rig.wait_for(15, TrackerStatus::pinned));
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(rig.pin(i));
    rig.world.run_for(1s);
    EXPECT_EQ(rig.ipfs.running_pins, 3);
    ASSERT_TRUE(rig.unpin(15));
    rig.world.run_for(1s);
    EXPECT_EQ(rig.status_name(15), "unpinned");
    rig.world.run_for(10h);
    EXPECT_EQ(rig.ipfs.running_pins_max, 3);
    EXPECT_EQ(
        rig.all(rig.tracker->status_all(static_cast<StatusFilter>(TrackerStatus::pinned))).size(),
        10U);
}

TEST(TrackerTest, fresh_pins_go_before_old_ones) {
    Rig rig(1, {.concurrent_pins = 1});
    rig.ipfs.pin_time = 1s;
    for (int i = 0; i < 3; ++i) {
        auto old = rig.fresh_pin(i);
        old.timestamp -= 48h;
        ASSERT_TRUE(rig.pin(old));
    }
    for (int i = 3; i < 6; ++i) ASSERT_TRUE(rig.pin(i));
    rig.world.run_for(30s);
    EXPECT_EQ(rig.ipfs.calls, (Calls{"pin 3", "pin 4", "pin 5", "pin 0", "pin 1", "pin 2"}));
    EXPECT_EQ(rig.work_rows(), 0U);
    EXPECT_EQ(rig.tracker->queue_size(), 0U);
}

TEST(TrackerTest, status_asks_the_daemon_and_recover_pins_again) {
    Rig rig;
    ASSERT_TRUE(rig.pin(1));
    ASSERT_TRUE(rig.wait_for(1, TrackerStatus::pinned));
    rig.ipfs.held.clear();  // somebody unpinned it behind our back
    auto row = rig.status(1);
    EXPECT_EQ(row.info.status, TrackerStatus::unexpectedly_unpinned);
    EXPECT_EQ(row.info.error, "the item should be pinned but it is not");
    const auto rows = rig.all(rig.tracker->recover_all());
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].info.status, TrackerStatus::pin_queued);
    rig.world.run_for(1s);
    EXPECT_EQ(rig.status_name(1), "pinned");
    EXPECT_TRUE(rig.ipfs.held.contains(cid(1)));
    EXPECT_TRUE(rig.all(rig.tracker->recover_all()).empty());
}

TEST(TrackerTest, unreachable_daemon_is_not_hammered) {
    Rig rig;
    rig.ipfs.down = Error{Kind::unavailable, "connection refused"};
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(rig.pin(i));
    rig.world.run_for(10min);
    EXPECT_LT(rig.ipfs.calls.size(), 50U);
    EXPECT_EQ(rig.status(0).info.error, "connection refused");
    rig.ipfs.down.reset();
    rig.world.run_for(13min);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(rig.status_name(i), "pinned");
    EXPECT_EQ(rig.work_rows(), 0U);
}

TEST(TrackerTest, a_daemon_that_comes_back_is_used_within_a_second) {
    for (const auto outage : {2s, 20s, 95s, 601s}) {
        Rig rig;
        rig.ipfs.pin_time = 1s;
        for (int i = 0; i < 10; ++i) ASSERT_TRUE(rig.pin(i));
        rig.world.run_for(500ms);
        rig.ipfs.down = Error{Kind::unavailable, "connection refused"};
        for (int i = 10; i < 20; ++i) ASSERT_TRUE(rig.pin(i));
        rig.world.run_for(outage);
        EXPECT_EQ(rig.ipfs.running_pins, 0);
        rig.ipfs.down.reset();
        rig.world.run_for(1010ms);
        EXPECT_GE(rig.ipfs.running_pins, 10) << outage.count() << " s";
        rig.world.run_for(5s);
        for (int i = 0; i < 20; ++i)
            EXPECT_EQ(rig.status_name(i), "pinned") << i << " after " << outage.count() << " s";
    }
}

TEST(TrackerTest, an_item_of_which_the_daemon_dies_each_time_is_tried_less_and_less_often) {
    Rig rig;
    rig.ipfs.pin_time = 1ms;
    int deaths = 0;
    rig.ipfs.time_drawn = [&] {
        if (rig.ipfs.calls.back() != "pin 1") return Duration(1ms);
        ++deaths;
        rig.ipfs.down = Error{Kind::unavailable, "the connection was cut"};
        rig.world.call_at(rig.world.steady_now() + 100ms, [&] { rig.ipfs.down.reset(); });
        return Duration(1ms);
    };
    ASSERT_TRUE(rig.pin(1));
    rig.world.run_for(10min);
    EXPECT_GE(deaths, 5);
    EXPECT_LE(deaths, 9);
    EXPECT_EQ(rig.status(1).info.error, "the connection was cut");
}

TEST(TrackerTest, what_waits_for_the_daemon_says_so) {
    Rig rig;
    rig.ipfs.down = Error{Kind::unavailable, "connection refused"};
    for (int i = 0; i < 12; ++i) ASSERT_TRUE(rig.pin(i));
    rig.world.run_for(1s);
    ASSERT_TRUE(rig.pin(12));
    rig.world.run_for(1min);
    for (const int i : {0, 11, 12}) {
        EXPECT_EQ(rig.status_name(i), "pin_queued") << i;
        EXPECT_EQ(rig.status(i).info.error, "connection refused") << i;
    }
    EXPECT_LE(rig.ipfs.calls.size(), 11U) << "nothing is begun once the outage is known";
    rig.ipfs.down.reset();
    rig.world.run_for(3s);
    EXPECT_EQ(rig.status(12).info.error, "");
}

TEST(TrackerTest, no_more_pins_run_than_the_daemon_can_work_on_and_the_others_are_queued) {
    Rig rig;
    rig.ipfs.pin_time = 2s;
    rig.ipfs.pins_at_once = 3;
    for (int i = 0; i < 12; ++i) ASSERT_TRUE(rig.pin(i));
    rig.world.run_for(1s);
    EXPECT_EQ(rig.ipfs.running_pins, 3);
    int queued = 0;
    for (int i = 0; i < 12; ++i) queued += rig.status_name(i) == "pin_queued" ? 1 : 0;
    EXPECT_EQ(queued, 9);
    rig.ipfs.pins_at_once = 100;
    rig.world.run_for(2s);
    EXPECT_EQ(rig.ipfs.running_pins, 9);
}

TEST(TrackerTest, one_outage_under_many_running_pins_costs_one_short_pause) {
    Rig rig;
    rig.ipfs.pin_time = 1s;
    for (int i = 0; i < 10; ++i) {
        rig.ipfs.pin_errors[cid(i)] = {{Kind::unavailable, "the connection was cut"}};
        ASSERT_TRUE(rig.pin(i));
    }
    rig.world.run_for(1500ms);  // all are cut at the same moment, and the daemon is back at once
    ASSERT_TRUE(rig.pin(11));
    ASSERT_TRUE(rig.wait_for(11, TrackerStatus::pinned, 4s))
        << "the queue waits longer than it must";
}

TEST(TrackerTest, a_pin_that_runs_on_does_not_keep_the_queue_from_looking_for_the_daemon) {
    Rig rig;
    rig.ipfs.pin_time = 1ms;
    rig.ipfs.slow_pins[cid(0)] = 10h;
    ASSERT_TRUE(rig.pin(0));
    rig.world.run_for(10ms);
    rig.ipfs.down = Error{Kind::unavailable, "connection refused"};
    for (int i = 1; i <= 40; ++i) ASSERT_TRUE(rig.pin(i));
    rig.world.run_for(5s);
    rig.ipfs.down.reset();
    rig.world.run_for(1min);
    EXPECT_EQ(rig.status_name(0), "pinning");
    EXPECT_TRUE(rig.ipfs.held.contains(cid(40)));
}

TEST(TrackerTest, a_long_pin_that_finds_the_daemon_back_does_not_keep_the_others_waiting) {
    Rig rig;
    rig.ipfs.pin_time = 1ms;
    rig.ipfs.down = Error{Kind::unavailable, "connection refused"};
    for (int i = 0; i <= 40; ++i) ASSERT_TRUE(rig.pin(i));
    rig.world.run_for(5s);
    rig.ipfs.down.reset();
    rig.ipfs.pin_time = 10h;
    rig.world.run_for(2min);
    EXPECT_EQ(rig.ipfs.running_pins, 11) << "ten workers, and one retry beside them";
}

TEST(TrackerTest, a_repository_that_lost_all_fresh_pins_is_worked_off_within_bounds) {
    constexpr int kPins = 5000;
    Rig rig;
    ASSERT_NO_FATAL_FAILURE(hold_many(rig, kPins));
    ASSERT_TRUE(rig.wait_for(kPins - 1, TrackerStatus::pinned));
    rig.ipfs.held.clear();
    rig.ipfs.pin_time = 1s;
    EXPECT_EQ(rig.all(rig.tracker->recover_all()).size(), static_cast<std::size_t>(kPins));
    const auto most = most_active(rig, 20);
    EXPECT_LE(most, 3 * kTrackerBatchMax + 14);
    EXPECT_GT(most, kTrackerBatchMax / 2);
    ASSERT_TRUE(rig.pin(kPins + 1));
    EXPECT_TRUE(rig.wait_for(kPins + 1, TrackerStatus::pinned, 2min)) << "what is new goes first";
}

TEST(TrackerTest, a_retry_gets_its_turn_while_many_unpins_wait) {
    constexpr int kPins = 3000;
    Rig rig;
    ASSERT_NO_FATAL_FAILURE(hold_many(rig, kPins));
    rig.ipfs.pin_errors[cid(kPins)] = {kNoProviders};
    ASSERT_TRUE(rig.pin(kPins));
    ASSERT_TRUE(rig.wait_for(kPins, TrackerStatus::pin_error));
    rig.ipfs.unpin_time = 1s;
    for (int i = 0; i < kPins; ++i) ASSERT_TRUE(rig.unpin(i));
    EXPECT_TRUE(rig.wait_for(kPins, TrackerStatus::pinned, 20s));
    EXPECT_GT(rig.ipfs.held.size(), static_cast<std::size_t>(kPins / 2));
}

TEST(TrackerTest, unpins_that_are_refused_wait_on_disk) {
    constexpr int kPins = 3000;
    Rig rig;
    ASSERT_NO_FATAL_FAILURE(hold_many(rig, kPins));
    rig.ipfs.unpin_time = 1ms;
    for (int i = 0; i < kPins; ++i) {
        rig.ipfs.unpin_errors[cid(i)] = {kNoProviders, kNoProviders, kNoProviders};
        ASSERT_TRUE(rig.unpin(i));
    }
    rig.world.run_for(9s);
    rig.ipfs.unpin_time = 1s;
    const auto most = most_active(rig, 60);
    EXPECT_LE(most, 2 * kTrackerBatchMax + 14);
    rig.ipfs.unpin_time = 1ms;
    EXPECT_TRUE(rig.world.run_until([&] { return rig.ipfs.held.empty(); }, 1h));
}

TEST(TrackerTest, sync_fails_when_the_daemon_cannot_be_asked_whatever_the_record_says) {
    Rig rig;
    rig.ipfs.pin_errors[cid(2)] = {kNoProviders};
    ASSERT_TRUE(rig.pin(1));
    ASSERT_TRUE(rig.pin(2));
    ASSERT_TRUE(rig.pin(3));
    rig.world.run_for(1s);
    rig.ipfs.held.erase(cid(3));
    ASSERT_EQ(rig.status_name(3), "unexpectedly_unpinned");
    rig.ipfs.down = Error{Kind::unavailable, "connection refused"};
    for (const int n : {1, 2, 3}) {
        const auto synced = drive(rig.world, rig.tracker->sync(cid(n)));
        ASSERT_FALSE(synced) << n;
        EXPECT_EQ(synced.error().kind, Kind::unavailable);
        EXPECT_EQ(synced.error().text, "connection refused");
    }
    // The status still says why the pin failed.
    EXPECT_EQ(rig.status(2).info.status, TrackerStatus::pin_error);
    EXPECT_EQ(rig.status(2).info.error, "no providers found");
    rig.ipfs.down.reset();
    EXPECT_EQ(drive(rig.world, rig.tracker->sync(cid(1))).value().info.status,
              TrackerStatus::pinned);
    EXPECT_EQ(drive(rig.world, rig.tracker->sync(cid(2))).value().info.status,
              TrackerStatus::pin_error);
    // What the daemon has nothing to say about needs no daemon.
    ASSERT_TRUE(rig.pin(pin_on(cid(4), {peer(2)})));
    rig.ipfs.down = Error{Kind::unavailable, "connection refused"};
    EXPECT_EQ(drive(rig.world, rig.tracker->sync(cid(4))).value().info.status,
              TrackerStatus::remote);
}

TEST(TrackerTest, daemon_error_while_asking_is_a_cluster_error) {
    Rig rig;
    ASSERT_TRUE(rig.pin(1));
    ASSERT_TRUE(rig.wait_for(1, TrackerStatus::pinned));
    rig.ipfs.down = Error{Kind::unavailable, "connection refused"};
    const auto row = rig.status(1);
    EXPECT_EQ(row.info.status, TrackerStatus::cluster_error);
    EXPECT_EQ(row.info.error, "connection refused");
}

TEST(TrackerTest, list_is_sorted_filtered_and_has_all_kinds) {
    Rig rig;
    rig.ipfs.pin_errors[cid(2)] = {kNoProviders};
    ASSERT_TRUE(rig.pin(1));
    ASSERT_TRUE(rig.pin(2));
    ASSERT_TRUE(rig.pin(pin_on(cid(3), {peer(2)})));
    auto meta = pin_on(cid(4), {});
    meta.type = PinType::meta;
    ASSERT_TRUE(rig.pin(meta));
    rig.world.run_for(1s);
    rig.ipfs.pin_time = 1h;
    ASSERT_TRUE(rig.pin(5));
    rig.world.run_for(1s);
    const auto rows = rig.all(rig.tracker->status_all(0));
    EXPECT_TRUE(std::is_sorted(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
        return a.cid.bytes() < b.cid.bytes();
    }));
    std::map<Cid, std::string> got;
    for (const auto& r : rows) got[r.cid] = to_string(r.info.status);
    const std::map<Cid, std::string> wanted{{cid(1), "pinned"},
                                            {cid(2), "pin_error"},
                                            {cid(3), "remote"},
                                            {cid(4), "sharded"},
                                            {cid(5), "pinning"}};
    EXPECT_EQ(got, wanted);
    const auto errors =
        rig.all(rig.tracker->status_all(static_cast<StatusFilter>(TrackerStatus::error)));
    ASSERT_EQ(errors.size(), 1U);
    EXPECT_EQ(errors[0].cid, cid(2));
}

TEST(TrackerTest, long_queue_waits_on_disk_and_gets_done) {
    Rig rig(1, {.concurrent_pins = 10, .max_pin_queue_size = 100});
    rig.ipfs.pin_time = 1ms;
    for (int i = 0; i < 3000; ++i) ASSERT_TRUE(rig.pin(i));
    EXPECT_EQ(rig.tracker->queue_size(), 3000U);
    rig.world.run_for(1min);
    EXPECT_EQ(rig.ipfs.held.size(), 3000U);
    EXPECT_EQ(rig.tracker->queue_size(), 0U);
    EXPECT_EQ(rig.work_rows(), 0U);
    EXPECT_EQ(
        rig.all(rig.tracker->status_all(static_cast<StatusFilter>(TrackerStatus::pinned))).size(),
        3000U);
}

TEST(TrackerTest, item_given_to_others_shows_as_remote_and_stays_until_somebody_can_be_asked) {
    Rig rig;
    ASSERT_TRUE(rig.pin(1));
    ASSERT_TRUE(rig.wait_for(1, TrackerStatus::pinned));
    ASSERT_TRUE(rig.pin(pin_on(cid(1), {peer(2)})));
    EXPECT_EQ(rig.status_name(1), "remote");
    rig.world.run_for(1h);
    EXPECT_TRUE(rig.ipfs.held.contains(cid(1)));
    EXPECT_EQ(rig.status_name(1), "remote");
}

TEST(TrackerTest, stop_cancels_calls_and_a_start_takes_them_up) {
    Rig rig;
    rig.ipfs.pin_time = 1h;
    for (int i = 0; i < 15; ++i) ASSERT_TRUE(rig.pin(i));
    rig.world.run_for(1s);
    EXPECT_EQ(rig.ipfs.running_pins, 10);
    rig.stop();
    EXPECT_EQ(rig.ipfs.running_pins, 0);
    rig.ipfs.pin_time = 1ms;
    rig.boot();
    EXPECT_EQ(rig.tracker->queue_size(), 15U);
    rig.world.run_for(1s);
    for (int i = 0; i < 15; ++i) EXPECT_EQ(rig.status_name(i), "pinned");
    EXPECT_EQ(rig.tracker->queue_size(), 0U);
}

}  // namespace
}  // namespace ipfscluster::tracker
