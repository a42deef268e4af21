#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/post.hpp>

#include "base/varint.hpp"
#include "state_fixture.hpp"

namespace ipfscluster::state {
namespace {

/// Moves all rows of `leader` to `follower`'s staging generation in small pieces.
void transfer(Peer& leader, Peer& follower, std::size_t piece_bytes = 500) {
    const auto at = leader.store.snapshot();
    ASSERT_TRUE(follower.state.begin_staging());
    Bytes after;
    for (bool last = false; !last;) {
        auto piece = leader.state.read_snapshot(at, after, piece_bytes);
        ASSERT_TRUE(piece) << piece.error().text;
        ASSERT_TRUE(follower.state.stage(piece.value()));
        after = piece.value().last_key;
        last = piece.value().last;
    }
}
void finish(Peer& follower) {
    storage::Batch batch;
    ASSERT_TRUE(follower.state.finish_staging(batch));
    ASSERT_TRUE(follower.store.write(std::move(batch)));
    follower.state.applied();
}

class SnapshotTest : public ::testing::Test {
 protected:
    SnapshotTest() {
        for (int i = 0; i < 30; ++i) {
            auto pin = pin_on(cid(i), {peer(i % 2 == 0 ? 1 : 2)});
            if (i % 3 == 0) pin.options.expire_at = Time(std::chrono::seconds(100 + i));
            leader.apply(static_cast<std::uint64_t>(i + 1),
                         {from(pin_op(pin), "client" + std::to_string(i % 4),
                               1 + static_cast<std::uint64_t>(i))});
        }
    }
    std::vector<std::pair<WorkLane, Cid>> sorted_work() {
        auto rows = follower.take_work();
        std::sort(rows.begin(), rows.end());
        return rows;
    }
    SimWorld world{1};
    Peer leader{world, peer(1)};
    Peer follower{world, peer(2)};
};

TEST_F(SnapshotTest, follower_has_the_leaders_pinset_and_sessions) {
    transfer(leader, follower);
    EXPECT_EQ(follower.state.count(), 0U) << "nothing may show before the switch";
    finish(follower);
    EXPECT_EQ(follower.state.count(), 30U);
    EXPECT_EQ(follower.list(world).size(), 30U);
    EXPECT_EQ(follower.state.expired(Time(std::chrono::seconds(1000)), 100).value().size(), 10U);
    EXPECT_EQ(follower.apply_one(40, from(unpin_op(cid(0)), "client0", 1)),
              ApplyOutcome::duplicate);
    // The same operations afterwards keep the two equal.
    leader.apply(41, {unpin_op(cid(3))});
    follower.apply(41, {unpin_op(cid(3))});
    EXPECT_EQ(follower.list(world).size(), leader.list(world).size());
}

TEST_F(SnapshotTest, what_a_crash_left_staged_goes_at_the_next_open) {
    follower.apply(1, {pin_op(pin_on(cid(77), {peer(2)}))});
    const auto before = follower.shared_rows();
    transfer(leader, follower);
    ASSERT_NE(follower.shared_rows(), before);
    State again(follower.store, peer(2));
    ASSERT_TRUE(again.open());
    EXPECT_EQ(follower.shared_rows(), before);
    EXPECT_EQ(again.count(), 1U);
    const auto writes = follower.store.writes();
    ASSERT_TRUE(again.open());
    EXPECT_EQ(follower.store.writes(), writes) << "with nothing staged nothing is written";
}

TEST_F(SnapshotTest, an_open_keeps_what_is_still_being_compared) {
    follower.apply(1, {pin_op(pin_on(cid(77), {peer(2)}))});
    transfer(leader, follower);
    finish(follower);
    follower.take_work();
    State again(follower.store, peer(2));
    ASSERT_TRUE(again.open());
    while (!again.reconcile_generations(1).value()) {
    }
    const auto work = sorted_work();
    EXPECT_EQ(work.size(), 16U);
    EXPECT_EQ(std::count(work.begin(), work.end(), std::pair(WorkLane::unpin, cid(77))), 1);
}

TEST_F(SnapshotTest, snapshot_is_frozen_while_the_leader_goes_on) {
    const auto at = leader.store.snapshot();
    ASSERT_TRUE(follower.state.begin_staging());
    auto first = leader.state.read_snapshot(at, "", 500).value();
    ASSERT_TRUE(follower.state.stage(first));
    leader.apply(50, {unpin_op(cid(0)), unpin_op(cid(1)), unpin_op(cid(2)),
                      pin_op(pin_on(cid(99), {peer(1)}))});
    auto rest = leader.state.read_snapshot(at, first.last_key, 1U << 20).value();
    EXPECT_TRUE(rest.last);
    ASSERT_TRUE(follower.state.stage(rest));
    finish(follower);
    EXPECT_EQ(follower.state.count(), 30U);
    EXPECT_TRUE(follower.state.get(cid(0)).value());
    EXPECT_FALSE(follower.state.get(cid(99)).value());
}

TEST_F(SnapshotTest, differences_become_work_in_bounded_durable_steps) {
    // What the follower held: 1 unchanged, 3 changed meanwhile, 101 gone.
    follower.apply(2, {pin_op(leader.state.get(cid(1)).value()->pin)});
    follower.apply(3, {pin_op(pin_on(cid(3), {peer(2)})), pin_op(pin_on(cid(101), {peer(2)}))});
    follower.take_work();
    transfer(leader, follower);
    finish(follower);
    int steps = 0;
    for (;; ++steps) {
        State again(follower.store, peer(2));  // as after a crash between two steps
        ASSERT_TRUE(again.open());
        auto done = again.reconcile_generations(4);
        ASSERT_TRUE(done);
        if (done.value()) break;
    }
    EXPECT_GT(steps, 5);
    std::vector<std::pair<WorkLane, Cid>> expected{{WorkLane::unpin, cid(101)}};
    for (int i = 3; i < 30; i += 2) expected.emplace_back(WorkLane::pin, cid(i));
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(sorted_work(), expected);
    auto old = follower.store.iterate(storage::Family::pins, "", Bytes("\0\0\0\2", 4));
    EXPECT_FALSE(old->next().value()) << "the old generation must be gone";
}

TEST_F(SnapshotTest, new_staging_drops_what_an_earlier_one_left) {
    transfer(leader, follower);
    State again(follower.store, peer(2));  // crashed before the switch
    ASSERT_TRUE(again.open());
    EXPECT_EQ(again.count(), 0U);
    leader.apply(60, {unpin_op(cid(0))});
    transfer(leader, follower);
    finish(follower);
    EXPECT_EQ(follower.state.count(), 29U);
    EXPECT_FALSE(follower.state.get(cid(0)).value());
}

TEST_F(SnapshotTest, second_snapshot_first_ends_the_comparison_of_the_first) {
    transfer(leader, follower);
    finish(follower);
    transfer(leader, follower);
    finish(follower);
    EXPECT_EQ(sorted_work().size(), 15U);
    EXPECT_TRUE(follower.state.reconcile_generations(1000).value());
    EXPECT_TRUE(sorted_work().empty()) << "the same pinset twice is no new work";
}

asio::awaitable<void> count_turns(bool& over, int& turns) {
    while (!over) {
        ++turns;
        co_await asio::post(asio::use_awaitable);
    }
}

TEST_F(SnapshotTest, staging_compares_in_turns_and_lets_others_run) {
    std::vector<Op> operations;
    for (int i = 100; i < 1600; ++i) operations.push_back(pin_op(pin_on(cid(i), {peer(2)})));
    leader.apply(100, operations);
    transfer(leader, follower);
    finish(follower);
    bool over = false;
    int turns = 0;
    asio::co_spawn(world.executor(), count_turns(over, turns), asio::detached);
    auto begun = test::start<void>(world, follower.state.begin_staging_in_turns());
    ASSERT_TRUE(world.run_until([&] { return begun->has_value(); }, std::chrono::seconds(1)));
    over = true;
    ASSERT_TRUE(**begun) << (**begun).error().text;
    EXPECT_GE(turns, 5) << "1530 rows";
    EXPECT_EQ(sorted_work().size(), 1515U);
    EXPECT_TRUE(follower.state.stage({}));
    world.run_for(std::chrono::seconds(1));
}

TEST_F(SnapshotTest, comparison_and_staging_wait_for_a_switch_that_is_being_written) {
    transfer(leader, follower);
    storage::Batch batch;
    ASSERT_TRUE(follower.state.finish_staging(batch));
    ASSERT_TRUE(follower.store.write(std::move(batch)));
    EXPECT_FALSE(follower.state.reconcile_generations(1000).value());
    EXPECT_EQ(follower.state.begin_staging().error().kind, Kind::retryable);
    EXPECT_EQ(follower.state.count(), 0U)
        << "readers see the old pinset until the caller says it is written";
    follower.state.applied();
    EXPECT_EQ(follower.state.count(), 30U);
    EXPECT_TRUE(follower.state.reconcile_generations(1000).value());
}

TEST_F(SnapshotTest, bad_pieces_are_refused) {
    EXPECT_EQ(follower.state.stage({}).error().kind, Kind::conflict);
    ASSERT_TRUE(follower.state.begin_staging());
    auto good = leader.state.read_snapshot(leader.store.snapshot(), "", 1U << 20).value();
    auto cut = good;
    cut.rows.pop_back();
    EXPECT_EQ(follower.state.stage(cut).error().kind, Kind::corrupt);
    auto twice = good;
    twice.rows += good.rows;
    EXPECT_EQ(follower.state.stage(twice).error().kind, Kind::corrupt);
    State::SnapshotPiece unknown;
    put_uvarint(unknown.rows, 2);
    unknown.rows += "zz";
    put_uvarint(unknown.rows, 0);
    EXPECT_EQ(follower.state.stage(unknown).error().kind, Kind::unsupported);
}

std::vector<Pin> three_pins() {
    auto everywhere = pin_on(cid(3), {});
    everywhere.options.replication_min = everywhere.options.replication_max = -1;
    auto expiring = pin_on(cid(2), {peer(1)});
    expiring.options.expire_at = Time(std::chrono::seconds(500));
    return {pin_on(cid(1), {peer(2)}), expiring, everywhere};
}

TEST_F(SnapshotTest, imported_pins_replace_the_pinset_and_become_work) {
    for (int i = 0; i < 2; ++i)
        follower.apply(static_cast<std::uint64_t>(i + 1), {pin_op(pin_on(cid(i), {peer(2)}))});
    follower.take_work();
    ASSERT_TRUE(follower.state.begin_staging());
    ASSERT_TRUE(follower.state.stage_pins(three_pins(), 1));
    EXPECT_EQ(follower.state.count(), 2U) << "nothing may show before the switch";
    EXPECT_EQ(follower.state.staged_pins().value().count, 3U);
    finish(follower);
    EXPECT_EQ(follower.state.count(), 3U);
    EXPECT_EQ(follower.state.get(cid(1)).value()->modification_index, 1U);
    EXPECT_EQ(follower.state.expired(Time(std::chrono::seconds(1000)), 10).value(),
              std::vector<Cid>{cid(2)});
    while (!follower.state.reconcile_generations(1).value()) {
    }
    // 0 is gone; 1 and 3 are ours; 2 is another's.
    const std::vector<std::pair<WorkLane, Cid>> expected = {
        {WorkLane::unpin, cid(0)}, {WorkLane::pin, cid(1)}, {WorkLane::pin, cid(3)}};
    auto work = sorted_work();
    std::sort(work.begin(), work.end());
    auto sorted = expected;
    std::sort(sorted.begin(), sorted.end());
    EXPECT_EQ(work, sorted);
}

TEST_F(SnapshotTest, the_later_of_two_imported_pins_wins) {
    auto first = three_pins();
    auto changed = pin_on(cid(2), {peer(1)});
    changed.options.name = "later";
    ASSERT_TRUE(follower.state.begin_staging());
    ASSERT_TRUE(follower.state.stage_pins(first, 1));
    ASSERT_TRUE(follower.state.stage_pins({changed, first[0], changed}, 1));
    EXPECT_EQ(follower.state.staged_pins().value().count, 3U);
    finish(follower);
    EXPECT_EQ(follower.state.count(), 3U);
    EXPECT_EQ(follower.state.get(cid(2)).value()->pin.options.name, "later");
    EXPECT_TRUE(follower.state.expired(Time(std::chrono::seconds(1000)), 10).value().empty())
        << "the earlier one's expiry is gone with it";
}

TEST_F(SnapshotTest, the_digest_of_an_import_depends_on_its_pins_alone) {
    const auto digest_of = [&](const std::vector<std::vector<Pin>>& calls) {
        EXPECT_TRUE(follower.state.begin_staging());
        for (const auto& pins : calls) EXPECT_TRUE(follower.state.stage_pins(pins, 1));
        auto staged = follower.state.staged_pins().value();
        EXPECT_TRUE(follower.state.drop_staging());
        return staged.digest;
    };
    const auto pins = three_pins();
    const auto digest = digest_of({pins});
    EXPECT_EQ(digest.size(), 32U);
    EXPECT_EQ(digest_of({{pins[2], pins[0]}, {pins[1]}}), digest);
    auto other = pins;
    other[0].options.name = "x";
    EXPECT_NE(digest_of({other}), digest);
    EXPECT_NE(digest_of({{pins[0], pins[1]}}), digest);
    EXPECT_EQ(follower.state.count(), 0U);
    EXPECT_FALSE(follower.state.stage_pins(pins, 1)) << "nothing is being staged any more";
}

TEST_F(SnapshotTest, two_imports_with_one_index_are_told_apart) {
    const auto import = [&](std::vector<Pin> pins) {
        ASSERT_TRUE(follower.state.begin_staging());
        ASSERT_TRUE(follower.state.stage_pins(pins, 1));
        ASSERT_TRUE(follower.state.staged_pins());
        finish(follower);
        while (!follower.state.reconcile_generations(100).value()) {
        }
    };
    auto same = pin_on(cid(1), {peer(2)});
    auto direct = pin_on(cid(2), {peer(2)});
    import({same, direct});
    follower.take_work();
    direct.max_depth = kDepthDirect;
    import({same, direct});
    EXPECT_EQ(sorted_work(), (std::vector<std::pair<WorkLane, Cid>>{{WorkLane::pin, cid(2)}}));
}

}  // namespace
}  // namespace ipfscluster::state
