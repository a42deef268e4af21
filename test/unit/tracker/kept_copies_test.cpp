// Copies that stay after their pins went to others: when they go, and what the status says of them.
#include <gtest/gtest.h>

#include <set>

#include "state/kept.hpp"
#include "tracker/kept_copies.hpp"
#include "tracker/pins_to_hold.hpp"
#include "tracker_fixture.hpp"

namespace ipfscluster::tracker {
namespace {

/// The other peers of the cluster as this one sees them. They are asked about what stands in this
/// peer's own pinset, unless a test says that they are behind.
struct Others {
    std::set<PeerId> members{peer(1), peer(2), peer(3), peer(4)};
    std::set<PeerId> away;                   ///< members without pings
    std::set<PeerId> silent;                 ///< with pings, but they give no answer
    std::set<std::pair<PeerId, Cid>> whole;  ///< who has what
    std::map<PeerId, Pin> behind;            ///< whose pinset has another pin
    int questions = 0;
};

TrackerOptions quick() {
    TrackerOptions options;
    options.kept_ask_first = 1s;
    options.kept_ask_max = 8s;
    return options;
}

struct KeptCopiesTest : ::testing::Test {
    KeptCopiesTest() { ask(); }
    void ask() {
        rig.tracker->ask_holders_through(
            {.members =
                 [this] { return std::vector(others.members.begin(), others.members.end()); },
             .alive = [this](const PeerId& p) { return !others.away.contains(p); },
             .status = [this](PeerId p,
                              Cid c) { return answer(this, std::move(p), std::move(c)); }});
    }
    static Async<PinInfo> answer(KeptCopiesTest* test, PeerId holder, Cid item) {
        ++test->others.questions;
        auto slept = co_await test->rig.world.sleep_for(2ms);
        if (!slept) co_return fail(slept.error());
        if (test->others.silent.contains(holder)) co_return fail(Kind::timeout, "no answer");
        ICL_CO_TRY(const auto stored, test->rig.pinset->get(item));
        PinInfo row;
        row.cid = item;
        row.peer = holder;
        row.info.status = TrackerStatus::unpinned;
        if (!stored) co_return row;
        auto pin = stored->pin;
        if (const auto it = test->others.behind.find(holder); it != test->others.behind.end())
            pin = it->second;
        row.allocations = pin.allocations;
        row.created = pin.timestamp;
        row.info.status = !pin.allocated_to(holder)                     ? TrackerStatus::remote
                          : test->others.whole.contains({holder, item}) ? TrackerStatus::pinned
                                                                        : TrackerStatus::pinning;
        co_return row;
    }

    Pin on(int n, std::vector<PeerId> holders, int min = 0) {
        auto pin = rig.fresh_pin(n);
        pin.allocations = std::move(holders);
        pin.options.replication_min = pin.options.replication_max =
            static_cast<int>(pin.allocations.size());
        if (min != 0) pin.options.replication_min = min;
        return pin;
    }
    /// Held here, and then given to `holders`.
    void move(int n, std::vector<PeerId> holders, int min = 0) {
        ASSERT_TRUE(rig.pin(on(n, {peer(1)})));
        ASSERT_TRUE(rig.wait_for(n, TrackerStatus::pinned));
        ASSERT_TRUE(rig.pin(on(n, std::move(holders), min)));
    }
    void damage(storage::Family family, const Bytes& key) {
        ASSERT_TRUE(rig.store->get(family, key).value());
        storage::Batch batch;
        batch.put(family, key, "\1");
        ASSERT_TRUE(rig.store->write(std::move(batch)));
    }
    bool held(int n) const { return rig.ipfs.held.contains(cid(n)); }
    bool kept(int n) { return state::read_kept(*rig.store, cid(n)).value().has_value(); }
    /// At rest: nothing kept, nothing held, nothing remembered, no row.
    void expect_gone(int n) {
        EXPECT_FALSE(held(n));
        EXPECT_FALSE(kept(n));
        EXPECT_EQ(rig.work_rows(), 0U);
        EXPECT_FALSE(rig.store->get(storage::Family::tracker, cid(n).bytes()).value());
        EXPECT_EQ(rig.tracker->queue_size(), 0U);
    }
    void expect_kept(int n, Duration after = 60s) {
        rig.world.run_for(after);
        EXPECT_TRUE(held(n));
        EXPECT_TRUE(kept(n));
    }

    Rig rig{1, quick()};
    Others others;
};

TEST_F(KeptCopiesTest, the_only_copy_stays_until_the_new_holder_has_it) {
    move(1, {peer(2)});
    expect_kept(1, 1h);
    EXPECT_EQ(rig.status_name(1), "remote");
    EXPECT_EQ(rig.status(1).info.error, "kept until 1 holder has it");
    others.whole.insert({peer(2), cid(1)});
    rig.world.run_for(9s);
    expect_gone(1);
    EXPECT_EQ(rig.status(1).info.error, "");
    EXPECT_EQ(rig.ipfs.calls, (std::vector<std::string>{"pin 1", "unpin 1"}));
}

TEST_F(KeptCopiesTest, the_minimum_of_the_holders_is_enough_and_fewer_are_not) {
    move(1, {peer(2), peer(3), peer(4)}, 2);
    others.whole.insert({peer(3), cid(1)});
    expect_kept(1);
    EXPECT_EQ(rig.status(1).info.error, "kept until 2 holders have it");
    others.whole.insert({peer(4), cid(1)});
    rig.world.run_for(9s);
    expect_gone(1);
}

TEST_F(KeptCopiesTest, after_a_second_move_the_new_holders_count) {
    move(1, {peer(2)});
    rig.world.run_for(10s);
    ASSERT_TRUE(rig.pin(on(1, {peer(3)})));
    others.whole.insert({peer(2), cid(1)});
    expect_kept(1);
    others.whole.insert({peer(3), cid(1)});
    rig.world.run_for(9s);
    expect_gone(1);
}

TEST_F(KeptCopiesTest, a_holder_that_is_behind_does_not_count) {
    // Its own pinset has the pin before: of the root alone, which it holds.
    move(1, {peer(2)});
    auto before = on(1, {peer(2), peer(3)});
    others.behind[peer(2)] = before;
    others.whole.insert({peer(2), cid(1)});
    expect_kept(1);
    others.behind.clear();
    rig.world.run_for(9s);
    expect_gone(1);
}

TEST_F(KeptCopiesTest, allocated_here_again_it_is_simply_ours) {
    move(1, {peer(2)});
    rig.world.run_for(10s);
    ASSERT_TRUE(rig.pin(on(1, {peer(1)})));
    ASSERT_TRUE(rig.wait_for(1, TrackerStatus::pinned));
    others.whole.insert({peer(2), cid(1)});
    rig.world.run_for(60s);
    EXPECT_TRUE(held(1));
    EXPECT_FALSE(kept(1));
    EXPECT_EQ(rig.work_rows(), 0U);
    for (const auto& call : rig.ipfs.calls) EXPECT_NE(call, "unpin 1");
}

TEST_F(KeptCopiesTest, an_unpin_releases_at_once) {
    move(1, {peer(2)});
    rig.world.run_for(10s);
    ASSERT_TRUE(rig.unpin(1));
    rig.world.run_for(10ms);
    expect_gone(1);
}

TEST_F(KeptCopiesTest, an_unpin_and_a_pin_elsewhere_in_between_release_too) {
    move(1, {peer(2)});
    ASSERT_TRUE(rig.unpin(1));
    ASSERT_TRUE(rig.pin(on(1, {peer(3)})));
    rig.world.run_for(10ms);
    expect_gone(1);
}

TEST_F(KeptCopiesTest, a_holder_that_is_away_silent_or_removed_has_nothing) {
    move(1, {peer(2)});
    others.whole.insert({peer(2), cid(1)});
    others.away.insert(peer(2));
    expect_kept(1);
    EXPECT_EQ(others.questions, 0) << "who is away is not asked";
    others.away.clear();
    others.silent.insert(peer(2));
    expect_kept(1);
    EXPECT_GT(others.questions, 0);
    others.silent.clear();
    others.members.erase(peer(2));
    expect_kept(1);
    others.members.insert(peer(2));
    rig.world.run_for(9s);
    expect_gone(1);
}

TEST_F(KeptCopiesTest, one_question_a_walk_to_a_holder_that_gives_no_answer) {
    for (int n = 0; n < 8; ++n) move(n, {peer(2)});
    others.silent.insert(peer(2));
    rig.world.run_for(60s);
    const int before = others.questions;
    rig.world.run_for(80s);
    // Walks are 8 s apart; the first rows of one are asked about side by side.
    EXPECT_LE(others.questions - before, 11 * static_cast<int>(kKeptAsksMax));
}

TEST_F(KeptCopiesTest, from_everywhere_to_two_of_three) {
    auto everywhere = on(1, {});
    everywhere.options.replication_min = everywhere.options.replication_max = -1;
    ASSERT_TRUE(rig.pin(everywhere));
    ASSERT_TRUE(rig.wait_for(1, TrackerStatus::pinned));
    ASSERT_TRUE(rig.pin(on(1, {peer(2), peer(3), peer(4)}, 2)));
    others.whole.insert({peer(2), cid(1)});
    expect_kept(1);
    others.whole.insert({peer(3), cid(1)});
    rig.world.run_for(9s);
    expect_gone(1);
}

TEST_F(KeptCopiesTest, a_direct_pin_is_kept_as_such_and_a_recursive_one_covers_it) {
    auto direct = on(1, {peer(1)});
    direct.max_depth = kDepthDirect;
    ASSERT_TRUE(rig.pin(direct));
    ASSERT_TRUE(rig.wait_for(1, TrackerStatus::pinned));
    ASSERT_TRUE(rig.pin(on(1, {peer(2)})));
    expect_kept(1);
    EXPECT_EQ(state::read_kept(*rig.store, cid(1)).value()->depth, kDepthDirect);
    others.whole.insert({peer(2), cid(1)});
    rig.world.run_for(9s);
    expect_gone(1);
}

TEST_F(KeptCopiesTest, a_recursive_copy_waits_for_a_holder_of_what_the_pin_still_asks_for) {
    move(1, {peer(2)});
    auto direct = on(1, {peer(2)});
    direct.max_depth = kDepthDirect;
    ASSERT_TRUE(rig.pin(direct));
    expect_kept(1);
    others.whole.insert({peer(2), cid(1)});
    rig.world.run_for(9s);
    expect_gone(1);
}

TEST_F(KeptCopiesTest, an_update_elsewhere_is_waited_for_as_well) {
    // The new item of an update is another CID; the old one moved away and is still wanted.
    move(1, {peer(2)});
    auto updated = on(2, {peer(2)});
    updated.options.pin_update = cid(1);
    ASSERT_TRUE(rig.pin(updated));
    others.whole.insert({peer(2), cid(2)});
    expect_kept(1);
    EXPECT_FALSE(kept(2)) << "it never was here";
    others.whole.insert({peer(2), cid(1)});
    rig.world.run_for(9s);
    expect_gone(1);
}

TEST_F(KeptCopiesTest, what_was_never_whole_goes_at_once) {
    // It runs and would for ever.
    rig.ipfs.slow_pins[cid(1)] = 24h;
    ASSERT_TRUE(rig.pin(on(1, {peer(1)})));
    ASSERT_TRUE(rig.wait_for(1, TrackerStatus::pinning));
    ASSERT_TRUE(rig.pin(on(1, {peer(2)})));
    rig.world.run_for(1s);
    expect_gone(1);
    // It has failed and waits for its next attempt.
    rig.ipfs.pin_errors[cid(2)] = {Error{Kind::internal, "disk full"}};
    ASSERT_TRUE(rig.pin(on(2, {peer(1)})));
    ASSERT_TRUE(rig.wait_for(2, TrackerStatus::pin_error));
    ASSERT_TRUE(rig.pin(on(2, {peer(2)})));
    rig.world.run_for(1s);
    EXPECT_FALSE(kept(2));
    rig.world.run_for(1min);
    expect_gone(2);
}

TEST_F(KeptCopiesTest, a_pin_that_ends_just_as_it_is_given_away_is_whole) {
    ASSERT_TRUE(rig.pin(on(1, {peer(1)})));
    ASSERT_TRUE(rig.wait_for(1, TrackerStatus::pinning));
    // While the daemon cannot be asked whether it has it, nothing is let go.
    rig.ipfs.on_call = nullptr;
    rig.ipfs.down = Error{Kind::unavailable, "away"};
    ASSERT_TRUE(rig.pin(on(1, {peer(2)})));
    rig.world.run_for(5ms);
    rig.ipfs.down.reset();
    rig.world.run_for(1min);
    EXPECT_EQ(held(1), kept(1)) << "whole and kept, or neither";
}

TEST_F(KeptCopiesTest, a_lost_record_is_made_again_from_what_the_daemon_says) {
    move(1, {peer(2)});
    storage::Batch batch;
    batch.del(storage::Family::tracker, cid(1).bytes());
    ASSERT_TRUE(rig.store->write(std::move(batch)));
    rig.restart();
    ask();
    expect_kept(1);
    others.whole.insert({peer(2), cid(1)});
    rig.world.run_for(9s);
    expect_gone(1);
}

TEST_F(KeptCopiesTest, a_restart_goes_on_where_it_was) {
    move(1, {peer(2)});
    rig.world.run_for(10s);
    rig.restart();
    ask();
    expect_kept(1);
    others.whole.insert({peer(2), cid(1)});
    rig.world.run_for(9s);
    expect_gone(1);
}

TEST_F(KeptCopiesTest, a_release_that_failed_under_a_wrong_clock_does_not_wait_for_that_time) {
    move(1, {peer(2)});
    rig.machine.set_clock_ahead(1h);
    rig.ipfs.unpin_errors[cid(1)] = {{Kind::internal, "refused"}};
    others.whole.insert({peer(2), cid(1)});
    rig.world.run_for(9s);
    ASSERT_FALSE(kept(1));
    rig.machine.set_clock_ahead(0s);
    rig.world.run_for(13min);
    ASSERT_TRUE(held(1));
    const auto rows = rig.all(rig.tracker->recover_lost());
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].cid, cid(1));
    rig.world.run_for(1s);
    expect_gone(1);
}

TEST_F(KeptCopiesTest, a_damaged_row_keeps_its_copy_and_hinders_nobody) {
    for (const int n : {1, 2, 3}) move(n, {peer(2)});
    auto direct = on(4, {peer(1)});
    direct.max_depth = kDepthDirect;
    ASSERT_TRUE(rig.pin(direct));
    ASSERT_TRUE(rig.wait_for(4, TrackerStatus::pinned));
    direct.allocations = {peer(2)};
    ASSERT_TRUE(rig.pin(direct));
    for (const int n : {1, 3, 4}) damage(storage::Family::work, state::kept_key(cid(n)));
    rig.restart();
    ask();
    for (const int n : {2, 4}) others.whole.insert({peer(2), cid(n)});
    rig.world.run_for(20s);
    for (const int n : {2, 4}) EXPECT_FALSE(held(n)) << n;
    expect_kept(1);
    ASSERT_TRUE(rig.unpin(3));
    others.whole.insert({peer(2), cid(1)});
    rig.world.run_for(9s);
    for (const int n : {1, 2, 3, 4}) expect_gone(n);
}

TEST_F(KeptCopiesTest, a_copy_whose_record_is_damaged_is_kept_if_the_daemon_has_it) {
    move(1, {peer(2)});
    damage(storage::Family::tracker, cid(1).bytes());
    rig.restart();
    ask();
    expect_kept(1);
    others.whole.insert({peer(2), cid(1)});
    rig.world.run_for(9s);
    expect_gone(1);
}

TEST_F(KeptCopiesTest, a_crash_at_any_moment_of_a_release_repeats_it_at_most) {
    for (int milliseconds = 0; milliseconds < 20; ++milliseconds) {
        const int n = milliseconds;
        move(n, {peer(2)});
        auto synced = drive(rig.world, rig.store->sync());
        ASSERT_TRUE(synced);
        others.whole.insert({peer(2), cid(n)});
        rig.world.run_for(990ms + std::chrono::milliseconds(milliseconds));
        rig.crash();
        rig.boot();
        ask();
        rig.world.run_for(20s);
        EXPECT_FALSE(held(n)) << milliseconds;
        EXPECT_FALSE(kept(n)) << milliseconds;
    }
}

TEST_F(KeptCopiesTest, a_change_while_holders_are_asked_is_not_overlooked) {
    // Unpinned and pinned here again, allocated here again, moved on: at each moment of a question.
    for (int ms = 0; ms < 12; ++ms) {
        move(1, {peer(2)});
        others.whole = {{peer(2), cid(1)}};
        rig.world.run_for(std::chrono::milliseconds(ms));
        ASSERT_TRUE(rig.pin(on(1, {peer(3)})));
        const bool released = !kept(1);
        rig.world.run_for(20s);
        EXPECT_EQ(held(1), !released) << "nobody asked peer 3 " << ms;
        ASSERT_TRUE(rig.pin(on(1, {peer(1)})));
        ASSERT_TRUE(rig.wait_for(1, TrackerStatus::pinned));
        EXPECT_TRUE(held(1));
        ASSERT_TRUE(rig.unpin(1));
        rig.world.run_for(1s);
        expect_gone(1);
    }
}

TEST_F(KeptCopiesTest, a_row_that_waits_does_not_unpin_what_a_snapshot_has_just_given_away) {
    for (const int n : {1, 2}) {
        ASSERT_TRUE(rig.pin(on(n, {peer(1)})));
        ASSERT_TRUE(rig.wait_for(n, TrackerStatus::pinned));
    }
    // Submitted once more, and behind others in the queue.
    storage::Batch rows;
    rows.put(storage::Family::work, state::work_key({state::WorkLane::later, 1, cid(1)}), {});
    rows.put(storage::Family::work, state::work_key({state::WorkLane::pin, 1, cid(2)}), {});
    ASSERT_TRUE(rig.store->write(std::move(rows)));
    ASSERT_TRUE(rig.pinset->begin_staging());
    ASSERT_TRUE(rig.pinset->stage_pins({on(1, {peer(2)}), on(2, {peer(2)})}, 50));
    storage::Batch batch;
    ASSERT_TRUE(rig.pinset->finish_staging(batch));
    ASSERT_TRUE(rig.store->write(std::move(batch)));
    rig.pinset->applied();
    rig.restart();
    ask();
    rig.world.run_for(10s);
    EXPECT_TRUE(held(1) && held(2));
    for (bool done = false; !done;) done = rig.pinset->reconcile_generations(1).value();
    expect_kept(1);
    expect_kept(2);
}

TEST_F(KeptCopiesTest, lists_the_collector_and_the_comparison_know_it) {
    for (int n = 1; n <= 3; ++n) move(n, {peer(2)});
    auto moved_direct = on(4, {peer(1)});
    moved_direct.max_depth = kDepthDirect;
    ASSERT_TRUE(rig.pin(moved_direct));
    ASSERT_TRUE(rig.wait_for(4, TrackerStatus::pinned));
    ASSERT_TRUE(rig.pin(on(4, {peer(2)})));
    ASSERT_TRUE(rig.pin(on(5, {peer(2)})));
    rig.ipfs.held[cid(5)] = on(5, {});  // somebody's own
    std::size_t texts = 0;
    for (const auto& row : rig.all(rig.tracker->status_all(0))) {
        EXPECT_EQ(row.info.status, TrackerStatus::remote);
        texts += row.info.error == "kept until 1 holder has it" ? 1 : 0;
    }
    EXPECT_EQ(texts, 4U);
    auto wanted = pins_to_hold(*rig.pinset, *rig.store);
    std::map<Cid, int> depths;
    while (true) {
        auto pin = drive(rig.world, wanted->next());
        ASSERT_TRUE(pin);
        if (!pin.value()) break;
        depths[pin.value()->cid] = pin.value()->max_depth;
    }
    EXPECT_EQ(depths.size(), 4U);
    EXPECT_EQ(depths[cid(1)], kDepthRecursive);
    EXPECT_EQ(depths[cid(4)], kDepthDirect);
    auto report = drive(rig.world, rig.tracker->reconcile());
    ASSERT_TRUE(report);
    EXPECT_EQ(report.value().kept, 4U);
    EXPECT_EQ(report.value().elsewhere, 1U);
    EXPECT_EQ(report.value().unknown, 0U);
    EXPECT_TRUE(rig.all(rig.tracker->recover_all()).empty());
    EXPECT_EQ(rig.ipfs.held.size(), 5U);
}

TEST_F(KeptCopiesTest, many_take_one_batch_of_memory_and_are_all_let_go) {
    constexpr int kMany = 3 * static_cast<int>(kKeptBatchMax) + 7;
    for (int n = 100; n < 100 + kMany; ++n) ASSERT_TRUE(rig.pin(on(n, {peer(1)})));
    rig.world.run_for(1h);
    ASSERT_EQ(rig.ipfs.held.size(), static_cast<std::size_t>(kMany));
    for (int n = 100; n < 100 + kMany; ++n) ASSERT_TRUE(rig.pin(on(n, {peer(2)})));
    rig.world.run_for(1min);
    EXPECT_EQ(rig.ipfs.held.size(), static_cast<std::size_t>(kMany));
    EXPECT_EQ(rig.tracker->active(), 0U);
    for (int n = 100; n < 100 + kMany; ++n) others.whole.insert({peer(2), cid(n)});
    rig.world.run_for(1min);
    EXPECT_TRUE(rig.ipfs.held.empty());
    EXPECT_EQ(rig.work_rows(), 0U);
}

}  // namespace
}  // namespace ipfscluster::tracker
