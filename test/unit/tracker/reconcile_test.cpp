// Looking at the whole daemon: what it lost, what it holds already, what is not ours.
#include <gtest/gtest.h>

#include "tracker/task_queues.hpp"
#include "tracker_fixture.hpp"

namespace ipfscluster::tracker {
namespace {

using component::ReconcileReport;

ReconcileReport reconcile(Rig& rig) {
    auto report = drive(rig.world, rig.tracker->reconcile());
    EXPECT_TRUE(report) << report.error().text;
    return report ? report.value() : ReconcileReport{};
}

Pin direct(Pin pin) {
    pin.max_depth = kDepthDirect;
    pin.options.mode = PinMode::direct;
    return pin;
}

std::string listed_status(Rig& rig, int n) {
    for (const auto& row : rig.all(rig.tracker->status_all(0)))
        if (row.cid == cid(n)) return std::string(to_string(row.info.status));
    return "absent";
}

/// Pins some items, every second one directly, and waits.
void pin_items(Rig& rig, int count) {
    for (int i = 0; i < count; ++i)
        ASSERT_TRUE(rig.pin(i % 2 == 0 ? rig.fresh_pin(i) : direct(rig.fresh_pin(i))));
    rig.world.run_for(1s);
    for (int i = 0; i < count; ++i) ASSERT_EQ(listed_status(rig, i), "pinned") << i;
}

TEST(ReconcileTest, what_the_daemon_lost_is_listed_and_recovered_and_foreign_pins_stay) {
    Rig rig;
    pin_items(rig, 8);
    rig.ipfs.held[cid(15)] = pin_on(cid(15), {});  // somebody's own
    for (const int lost : {2, 5}) rig.ipfs.held.erase(cid(lost));
    EXPECT_EQ(listed_status(rig, 2), "pinned") << "lists show the records";

    const auto before = rig.world.system_now();
    const auto rows = rig.all(rig.tracker->sync_all());
    ASSERT_EQ(rows.size(), 2U);
    for (const auto& row : rows) {
        EXPECT_EQ(row.info.status, TrackerStatus::unexpectedly_unpinned);
        EXPECT_EQ(row.info.error, "the item should be pinned but it is not");
        EXPECT_GE(row.info.timestamp, before);
    }
    EXPECT_EQ(listed_status(rig, 2), "unexpectedly_unpinned");
    EXPECT_EQ(listed_status(rig, 5), "unexpectedly_unpinned");
    EXPECT_EQ(listed_status(rig, 3), "pinned");

    const auto report = reconcile(rig);
    EXPECT_EQ(report.listed, 7U);
    EXPECT_EQ(report.wanted, 8U);
    EXPECT_EQ(report.unknown, 1U);
    EXPECT_EQ(report.lost + report.found, 0U) << "only differences are written";

    EXPECT_EQ(rig.all(rig.tracker->recover_all()).size(), 2U);
    rig.world.run_for(1s);
    for (int i = 0; i < 8; ++i) EXPECT_EQ(listed_status(rig, i), "pinned") << i;
    EXPECT_EQ(rig.ipfs.held.at(cid(5)).max_depth, kDepthDirect);
    EXPECT_TRUE(rig.ipfs.held.contains(cid(15)));
    EXPECT_EQ(rig.work_rows(), 0U);
}

TEST(ReconcileTest, direct_and_recursive_pins_are_told_apart) {
    Rig rig;
    pin_items(rig, 4);  // 0 and 2 recursive, 1 and 3 direct
    rig.ipfs.held[cid(0)] = direct(pin_on(cid(0), {}));
    rig.ipfs.held[cid(1)] = pin_on(cid(1), {});
    const auto report = reconcile(rig);
    EXPECT_EQ(report.lost, 1U);
    EXPECT_EQ(listed_status(rig, 0), "unexpectedly_unpinned")
        << "a direct pin holds one block only";
    EXPECT_EQ(listed_status(rig, 1), "pinned") << "a recursive pin holds the block as well";
    EXPECT_EQ(rig.status_name(0), "unexpectedly_unpinned");
    EXPECT_EQ(rig.status_name(1), "pinned");
}

TEST(ReconcileTest, listing_that_breaks_off_changes_nothing_and_is_an_error) {
    Rig rig;
    pin_items(rig, 8);
    rig.ipfs.held.erase(cid(1));
    for (const auto kind : {Kind::internal, Kind::unavailable, Kind::corrupt}) {
        rig.ipfs.list_cut = Error{kind, "the list broke off"};
        for (const bool recover : {false, true}) {
            auto source = recover ? rig.tracker->recover_all() : rig.tracker->sync_all();
            auto row = drive(rig.world, source->next());
            ASSERT_FALSE(row);
            EXPECT_EQ(row.error().text, "the list broke off");
        }
        for (int i = 0; i < 8; ++i) EXPECT_EQ(listed_status(rig, i), "pinned") << i;
    }
    rig.ipfs.list_cut.reset();
    rig.ipfs.down = Error{Kind::unavailable, "connection refused"};
    auto stopped = drive(rig.world, rig.tracker->reconcile());
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().text, "connection refused");
    rig.ipfs.down.reset();
    EXPECT_EQ(reconcile(rig).lost, 1U);
}

TEST(ReconcileTest, rows_that_changed_since_the_list_began_are_left_alone) {
    Rig rig;
    pin_items(rig, 8);
    rig.ipfs.list_time = 1s;
    for (int i = 0; i < 6; ++i) rig.ipfs.held.erase(cid(i));
    auto report = test::start(rig.world, rig.tracker->reconcile());
    rig.world.run_for(500ms);
    // 0: another pin of the same CID; 2: gone; 4: noticed and pinned again under the same index.
    ASSERT_TRUE(rig.unpin(0));
    rig.world.run_for(500ms);
    ASSERT_TRUE(rig.pin(0));
    ASSERT_TRUE(rig.unpin(2));
    ICL_EXPECT_OK(drive(rig.world, rig.tracker->recover(cid(4))));
    rig.world.run_for(500ms);
    ASSERT_TRUE(rig.ipfs.held.contains(cid(0)) && rig.ipfs.held.contains(cid(4)));
    ASSERT_FALSE(report->has_value()) << "the list must still run";
    rig.world.run_for(1min);
    ASSERT_TRUE(report->has_value() && report->value());
    EXPECT_EQ(report->value().value().lost, 3U);
    EXPECT_EQ(report->value().value().changed_meanwhile, 3U);
    for (const int i : {0, 4, 6, 7}) EXPECT_EQ(listed_status(rig, i), "pinned") << i;
    for (const int i : {1, 3, 5}) EXPECT_EQ(listed_status(rig, i), "unexpectedly_unpinned") << i;
    EXPECT_EQ(listed_status(rig, 2), "absent");
}

TEST(ReconcileTest, callers_that_come_while_one_runs_share_the_next) {
    Rig rig;
    pin_items(rig, 4);
    rig.ipfs.list_time = 1s;
    auto first = test::start(rig.world, rig.tracker->reconcile());
    rig.world.run_for(1500ms);
    // The list that is being read was made before.
    rig.ipfs.held.erase(cid(1));
    auto second = test::start(rig.world, rig.tracker->reconcile());
    rig.world.run_for(500ms);
    auto third = test::start(rig.world, rig.tracker->reconcile());
    rig.world.run_for(4s);
    ASSERT_TRUE(first->has_value());
    EXPECT_FALSE(second->has_value());
    EXPECT_EQ(first->value().value().lost, 0U);
    // Comes during the following one, and so shares that one's follower.
    auto fourth = test::start(rig.world, rig.tracker->reconcile());
    rig.world.run_for(1min);
    ASSERT_TRUE(second->has_value() && third->has_value() && fourth->has_value());
    EXPECT_EQ(second->value().value().lost, 1U);
    EXPECT_EQ(third->value().value().lost, 1U);
    EXPECT_EQ(fourth->value().value().lost, 0U);
    EXPECT_EQ(rig.ipfs.list_calls, 3);
    reconcile(rig);
    EXPECT_EQ(rig.ipfs.list_calls, 4);
}

TEST(ReconcileTest, a_sync_sees_what_was_lost_while_another_comparison_ran) {
    Rig rig;
    pin_items(rig, 4);
    rig.ipfs.list_time = 1s;
    auto running = test::start(rig.world, rig.tracker->reconcile());
    rig.world.run_for(1500ms);
    rig.ipfs.held.erase(cid(1));
    const auto rows = rig.all(rig.tracker->sync_all());
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].cid, cid(1));
    EXPECT_EQ(rows[0].info.status, TrackerStatus::unexpectedly_unpinned);
}

TEST(ReconcileTest, stopping_ends_a_comparison) {
    Rig rig;
    pin_items(rig, 4);
    rig.ipfs.list_time = 1h;
    auto waiting = test::start(rig.world, rig.tracker->reconcile());
    rig.world.run_for(1s);
    auto behind = test::start(rig.world, rig.tracker->reconcile());
    rig.world.run_for(1s);
    rig.stop();
    ASSERT_TRUE(waiting->has_value());
    EXPECT_FALSE(waiting->value());
    rig.world.run_for(1s);
    ASSERT_TRUE(behind->has_value());
    EXPECT_FALSE(behind->value());
}

TEST(ReconcileTest, failed_pin_that_the_daemon_holds_after_all_is_pinned) {
    Rig rig;
    for (const int i : {1, 2}) {
        rig.ipfs.pin_errors[cid(i)] = {{Kind::timeout, "no providers"}};
        ASSERT_TRUE(rig.pin(i));
    }
    rig.world.run_for(1s);
    ASSERT_EQ(rig.status_name(1), "pin_error");
    for (const int i : {1, 2}) rig.ipfs.held[cid(i)] = pin_on(cid(i), {});
    EXPECT_EQ(rig.status_name(1), "pinned");
    EXPECT_EQ(listed_status(rig, 2), "pin_error");
    EXPECT_EQ(reconcile(rig).found, 1U);
    EXPECT_EQ(listed_status(rig, 2), "pinned");
    rig.world.run_for(1h);
    EXPECT_EQ(rig.ipfs.calls, (std::vector<std::string>{"pin 1", "pin 2"})) << "nothing is due";
    EXPECT_EQ(rig.work_rows(), 0U);
    EXPECT_EQ(rig.tracker->queue_size(), 0U);
}

/// `count` pins in log entries of 500, as an import or a snapshot brings them.
void import(Rig& rig, int count, Duration age, bool held) {
    for (int at = 0; at < count;) {
        std::vector<state::LoggedOperation> entry;
        for (; at < count && entry.size() < 500; ++at) {
            auto pin = rig.fresh_pin(at);
            pin.timestamp -= age;
            if (held) rig.ipfs.held[cid(at)] = pin;
            entry.push_back({{.pin = std::move(pin)}, {}});
        }
        storage::Batch batch;
        ASSERT_TRUE(rig.pinset->apply(batch, ++rig.index, entry));
        ASSERT_TRUE(rig.store->write(std::move(batch)));
        rig.pinset->applied();
    }
}

TEST(ReconcileTest, imported_pins_that_the_daemon_holds_are_never_told) {
    Rig rig;
    rig.ipfs.pin_time = 1ms;
    ICL_EXPECT_OK(drive(rig.world, rig.tracker->stop()));
    import(rig, 100'000, 0h, true);
    rig.ipfs.held.erase(cid(77));
    rig.restart();
    rig.world.run_for(10min);
    EXPECT_EQ(rig.tracker->queue_size(), 0U);
    EXPECT_EQ(rig.work_rows(), 0U);
    EXPECT_EQ(rig.ipfs.calls.size(), 1U) << "only the one it did not hold";
    EXPECT_EQ(rig.ipfs.list_calls, 1);
    EXPECT_EQ(rig.ipfs.status_calls, 0);
    std::size_t pinned = 0;
    for (const auto& row : rig.all(rig.tracker->status_all(0)))
        pinned += row.info.status == TrackerStatus::pinned ? 1 : 0;
    EXPECT_EQ(pinned, 100'000U);
}

TEST(ReconcileTest, imported_pins_that_trickle_in_are_asked_about_before_they_are_told) {
    Rig rig;
    rig.ipfs.pin_time = 1ms;
    // As a peer meets them that gets the import from another one, in small bites.
    for (int round = 0; round < 20; ++round) {
        import(rig, 200, 24h * 30, true);
        rig.world.run_for(round % 3 == 0 ? 5ms : 100ms);
    }
    rig.world.run_for(10min);
    EXPECT_EQ(rig.ipfs.calls.size(), 0U);
    EXPECT_EQ(rig.work_rows(), 0U);
    EXPECT_EQ(listed_status(rig, 150), "pinned");
}

TEST(ReconcileTest, many_pins_that_the_daemon_does_not_hold_cost_one_list_and_no_question_each) {
    Rig rig;
    rig.ipfs.pin_time = 1ms;
    ICL_EXPECT_OK(drive(rig.world, rig.tracker->stop()));
    import(rig, 6000, 24h * 30, false);
    rig.restart();
    rig.world.run_for(10min);
    EXPECT_EQ(rig.ipfs.calls.size(), 6000U);
    EXPECT_EQ(rig.ipfs.status_calls, 0);
    EXPECT_EQ(rig.ipfs.list_calls, 1);
    EXPECT_EQ(rig.work_rows(), 0U);
}

TEST(ReconcileTest, burst_of_new_pins_costs_neither_a_list_nor_questions) {
    Rig rig;
    rig.ipfs.pin_time = 100ms;  // the last ones wait for more than a minute
    import(rig, 10'000, 1s, false);
    rig.world.run_for(10min);
    EXPECT_EQ(rig.ipfs.calls.size(), 10'000U);
    EXPECT_EQ(rig.ipfs.status_calls + rig.ipfs.list_calls, 0);
    EXPECT_EQ(rig.work_rows(), 0U);
}

TEST(ReconcileTest, list_that_cannot_be_read_does_not_stop_the_queue) {
    Rig rig;
    rig.ipfs.pin_time = 1ms;
    rig.ipfs.list_cut = Error{Kind::corrupt, "not a list"};
    ICL_EXPECT_OK(drive(rig.world, rig.tracker->stop()));
    import(rig, 6000, 24h * 30, false);
    rig.restart();
    rig.world.run_for(10min);
    EXPECT_EQ(rig.ipfs.calls.size(), 6000U);
    EXPECT_LE(rig.ipfs.list_calls, 2);
    EXPECT_EQ(rig.work_rows(), 0U);
}

TEST(ReconcileTest, daemon_away_for_ten_minutes_sees_one_probe_a_second_and_gets_all_pins_after) {
    Rig rig;
    rig.ipfs.pin_time = 1ms;
    std::map<std::int64_t, int> calls_in_second;
    rig.ipfs.on_call = [&] {
        ++calls_in_second[std::chrono::floor<std::chrono::seconds>(
                              rig.world.steady_now().time_since_epoch())
                              .count()];
    };
    pin_items(rig, 16);
    rig.ipfs.down = Error{Kind::unavailable, "connection refused"};
    import(rig, 10'000, 0h, false);
    for (int i = 0; i < 16; i += 2) ASSERT_TRUE(rig.unpin(i));
    rig.world.run_for(2s);  // what was under way when it went
    calls_in_second.clear();
    std::size_t active_max = 0;
    for (int second = 0; second < 600; ++second) {
        rig.world.run_for(1s);
        active_max = std::max(active_max, rig.tracker->active());
    }
    EXPECT_FALSE(calls_in_second.empty()) << "nobody looks whether it is back";
    for (const auto& [second, calls] : calls_in_second) EXPECT_LE(calls, 1) << second;
    EXPECT_LE(active_max, 3 * kTrackerBatchMax + 20);
    EXPECT_GE(rig.tracker->queue_size(), 9'900U);
    rig.ipfs.down.reset();
    rig.world.run_for(30min);
    EXPECT_EQ(rig.work_rows(), 0U);
    for (int i = 0; i < 10'000; ++i) {
        const bool wanted = i >= 16 || i % 2 != 0;
        ASSERT_EQ(rig.ipfs.held.contains(cid(i)), wanted) << i;
    }
}

TEST(ReconcileTest, pin_is_not_told_before_the_disk_has_the_operation) {
    // After a power cut a snapshot may lead past the operation: nothing would ever unpin it then.
    int told = 0;
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        Rig rig(seed);
        rig.world.set_blocking_delay(1ms, 10ms);
        rig.ipfs.pin_time = 2ms;
        ASSERT_TRUE(rig.pin(1));
        rig.world.run_for(std::chrono::microseconds(rig.world.random_between(0, 20'000)));
        rig.crash();
        rig.boot();
        const bool reached = !rig.ipfs.calls.empty();
        told += reached ? 1 : 0;
        const auto stored = rig.pinset->get(cid(1));
        ASSERT_TRUE(stored);
        EXPECT_TRUE(stored.value() || !reached) << "seed " << seed;
    }
    EXPECT_GT(told, 30);
    EXPECT_LT(told, 300);
}

TEST(ReconcileTest, running_pin_shows_what_it_has_fetched) {
    Rig rig;
    rig.ipfs.slow_pins[cid(1)] = 1min;
    ASSERT_TRUE(rig.pin(1));
    rig.world.run_for(1s);
    const auto running = rig.status(1).info;
    EXPECT_EQ(running.status, TrackerStatus::pinning);
    EXPECT_EQ(running.fetched_blocks, 1U);
    EXPECT_EQ(running.fetched_bytes, 100U);
    rig.world.run_for(2min);
    EXPECT_EQ(rig.status(1).info.status, TrackerStatus::pinned);
    EXPECT_EQ(rig.status(1).info.fetched_bytes, 0U);
}

}  // namespace
}  // namespace ipfscluster::tracker
