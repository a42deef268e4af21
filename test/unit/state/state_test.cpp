#include "state/state.hpp"

#include <gtest/gtest.h>

#include "state/session_window.hpp"
#include "state_fixture.hpp"

namespace ipfscluster::state {
namespace {

class StateTest : public ::testing::Test {
 protected:
    SimWorld world{1};
    Peer self{world, peer(1)};
};

TEST_F(StateTest, pin_and_unpin_change_rows_and_count) {
    const auto pinned = self.apply(5, {pin_op(pin_on(cid(1), {peer(1)}))});
    EXPECT_EQ(pinned[0].outcome, ApplyOutcome::applied);
    EXPECT_EQ(pinned[0].modification_index, 5U);
    EXPECT_EQ(self.state.count(), 1U);
    const auto got = self.state.get(cid(1)).value();
    ASSERT_TRUE(got);
    EXPECT_EQ(got->modification_index, 5U);
    EXPECT_EQ(got->pin, pin_on(cid(1), {peer(1)}));
    const auto unpinned = self.apply(6, {unpin_op(cid(1))});
    EXPECT_EQ(unpinned[0].modification_index, 0U);
    EXPECT_EQ(self.state.count(), 0U);
    EXPECT_FALSE(self.state.get(cid(1)).value());
    EXPECT_EQ(self.apply_one(7, unpin_op(cid(1))), ApplyOutcome::not_found);
}

TEST_F(StateTest, operation_planned_on_another_index_is_a_conflict) {
    const auto pin = pin_on(cid(1), {peer(1)});
    EXPECT_EQ(self.apply_one(1, pin_op(pin, 3)), ApplyOutcome::conflict);
    EXPECT_EQ(self.apply_one(2, pin_op(pin, 0)), ApplyOutcome::applied);
    EXPECT_EQ(self.apply_one(3, pin_op(pin, 0)), ApplyOutcome::conflict);
    EXPECT_EQ(self.apply_one(4, unpin_op(cid(1), 1)), ApplyOutcome::conflict);
    EXPECT_EQ(self.apply_one(5, unpin_op(cid(1), 2)), ApplyOutcome::applied);
}

TEST_F(StateTest, operations_of_one_batch_see_each_other) {
    const auto pin = pin_on(cid(1), {peer(1)});
    const auto results = self.apply(
        9, {pin_op(pin, 0), pin_op(pin, 0), unpin_op(cid(1), 9), unpin_op(cid(1)), pin_op(pin, 0)});
    EXPECT_EQ(results[0].outcome, ApplyOutcome::applied);
    EXPECT_EQ(results[1].outcome, ApplyOutcome::conflict);
    EXPECT_EQ(results[1].modification_index, 9U);
    EXPECT_EQ(results[2].outcome, ApplyOutcome::applied);
    EXPECT_EQ(results[3].outcome, ApplyOutcome::not_found);
    EXPECT_EQ(results[4].outcome, ApplyOutcome::applied);
    EXPECT_EQ(self.state.count(), 1U);
}

TEST_F(StateTest, entries_applied_into_one_batch_give_the_rows_of_single_batches) {
    Peer other(world, peer(1));
    std::vector<std::vector<Op>> entries;
    for (int i = 0; i < 40; ++i) {
        std::vector<Op> ops;
        for (int j = 0; j < 5; ++j) {
            auto pin = pin_on(cid(static_cast<int>(world.random_between(0, 8))), {peer(1)});
            pin.options.expire_at = Time(std::chrono::seconds(world.random_between(0, 3)));
            Op op = world.random_between(0, 2) == 0 ? unpin_op(pin.cid) : pin_op(pin);
            ops.push_back(from(op, "origin" + std::to_string(j % 2), world.random_between(1, 100)));
        }
        entries.push_back(ops);
    }
    storage::Batch whole;
    std::uint64_t index = 0;
    for (const auto& ops : entries) {
        self.apply(++index, ops);
        ASSERT_TRUE(other.state.apply(whole, index, ops));
    }
    ASSERT_TRUE(other.store.write(std::move(whole)));
    other.state.applied();
    EXPECT_EQ(self.shared_rows(), other.shared_rows());
    EXPECT_EQ(self.state.count(), other.state.count());
    EXPECT_EQ(self.list(world).size(), self.state.count());
}

TEST_F(StateTest, dropped_batch_leaves_nothing_behind) {
    storage::Batch batch;
    ASSERT_TRUE(self.state.apply(batch, 1, {pin_op(pin_on(cid(1), {peer(1)}))}));
    self.state.dropped();
    EXPECT_EQ(self.state.count(), 0U);
    EXPECT_EQ(self.apply_one(1, pin_op(pin_on(cid(1), {peer(1)}), 0)), ApplyOutcome::applied);
}

TEST_F(StateTest, work_rows_follow_this_peers_duty) {
    const auto c = cid(1);
    int woken = 0;
    self.state.on_work([&] { ++woken; });
    using Rows = std::vector<std::pair<WorkLane, Cid>>;
    const Rows none;
    const Rows pin{{WorkLane::pin, c}};
    const Rows unpin{{WorkLane::unpin, c}};
    const Rows kept{{WorkLane::kept, c}};
    self.apply(1, {pin_op(pin_on(c, {peer(2)}))});  // somebody else's
    EXPECT_EQ(self.take_work(), none);
    EXPECT_EQ(woken, 0);
    self.apply(2, {pin_op(pin_on(c, {peer(1), peer(2)}))});
    EXPECT_EQ(self.take_work(), pin);
    EXPECT_EQ(woken, 1);
    self.apply(3, {pin_op(pin_on(c, {peer(1)}))});  // submitted again
    EXPECT_EQ(self.take_work(), pin);
    self.apply(4, {pin_op(pin_on(c, {peer(2)}))});  // taken away, and kept until 2 has it
    EXPECT_EQ(self.take_work(), kept);
    self.apply(5, {unpin_op(c)});  // not ours any more
    EXPECT_EQ(self.take_work(), none);
    auto meta = pin_on(c, {});
    meta.type = PinType::meta;
    meta.options.replication_min = meta.options.replication_max = -1;
    self.apply(6, {pin_op(meta)});
    EXPECT_EQ(self.take_work(), none);
    auto everywhere = meta;
    everywhere.type = PinType::data;
    self.apply(7, {pin_op(everywhere)});
    EXPECT_EQ(self.take_work(), pin);
    self.apply(8, {unpin_op(c)});
    EXPECT_EQ(self.take_work(), unpin);
}

TEST_F(StateTest, late_retry_does_not_raise_the_dead) {
    const auto pin = pin_on(cid(1), {peer(1)});
    EXPECT_EQ(self.apply_one(1, from(pin_op(pin), "a", 1)), ApplyOutcome::applied);
    EXPECT_EQ(self.apply_one(2, from(unpin_op(cid(1)), "b", 1)), ApplyOutcome::applied);
    EXPECT_EQ(self.apply_one(3, from(pin_op(pin), "a", 1)), ApplyOutcome::duplicate);
    EXPECT_EQ(self.state.count(), 0U);
    EXPECT_EQ(self.apply_one(4, from(pin_op(pin), "a", 2)), ApplyOutcome::applied);
}

TEST_F(StateTest, oldest_session_is_forgotten_beyond_the_limit) {
    std::vector<Op> ops;
    for (std::uint64_t i = 0; i < kSessionsMax; ++i)
        ops.push_back(from(unpin_op(cid(1)), "origin" + std::to_string(i), 1));
    self.apply(1, {ops[5]});
    self.apply(2, ops);  // origin5 is refused: its age stays
    self.apply(3, {from(unpin_op(cid(1)), "new", 1)});
    EXPECT_EQ(self.apply_one(4, ops[6]), ApplyOutcome::duplicate);
    EXPECT_EQ(self.apply_one(5, ops[5]), ApplyOutcome::not_found)
        << "origin5 should have been forgotten";
}

TEST_F(StateTest, list_is_in_cid_order_and_resumes_after_a_cid) {
    std::vector<Op> ops;
    for (int i = 0; i < 600; ++i) ops.push_back(pin_op(pin_on(cid(i), {peer(1)})));
    self.apply(1, ops);
    const auto all = self.list(world);
    ASSERT_EQ(all.size(), 600U);
    EXPECT_TRUE(std::is_sorted(all.begin(), all.end(),
                               [](const auto& a, const auto& b) { return a.pin.cid < b.pin.cid; }));
    const auto rest = self.list(world, all[299].pin.cid);
    ASSERT_EQ(rest.size(), 300U);
    EXPECT_EQ(rest[0].pin.cid, all[300].pin.cid);
}

TEST_F(StateTest, expired_pins_are_found_by_time_and_unpinned_only_then) {
    const auto at = [](int s) { return Time(std::chrono::seconds(1000 + s)); };
    for (int i = 1; i <= 3; ++i) {
        auto pin = pin_on(cid(i), {peer(1)});
        pin.options.expire_at = at(i);
        self.apply(static_cast<std::uint64_t>(i), {pin_op(pin)});
    }
    self.apply(4, {pin_op(pin_on(cid(4), {peer(1)}))});
    EXPECT_EQ(self.state.expired(at(0), 10).value(), std::vector<Cid>{});
    EXPECT_EQ(self.state.expired(at(2), 10).value(), (std::vector<Cid>{cid(1), cid(2)}));
    EXPECT_EQ(self.state.expired(at(9), 1).value(), std::vector<Cid>{cid(1)});
    self.apply(5, {pin_op(pin_on(cid(1), {peer(1)}))});  // does not expire any more
    EXPECT_EQ(self.state.expired(at(9), 10).value(), (std::vector<Cid>{cid(2), cid(3)}));
    auto expire = unpin_op(cid(3));
    expire.only_if_expired_by = at(2);
    EXPECT_EQ(self.apply_one(6, expire), ApplyOutcome::not_expired);
    expire.only_if_expired_by = at(3);
    EXPECT_EQ(self.apply_one(7, expire), ApplyOutcome::applied);
    expire.pin.cid = cid(4);
    EXPECT_EQ(self.apply_one(8, expire), ApplyOutcome::not_expired);
    EXPECT_EQ(self.state.expired(at(9), 10).value(), std::vector<Cid>{cid(2)});
}

TEST_F(StateTest, everything_is_there_after_a_restart) {
    self.apply(1, {pin_op(pin_on(cid(1), {peer(1)})), pin_op(pin_on(cid(2), {peer(1)}))});
    State again(self.store, peer(1));
    ASSERT_TRUE(again.open());
    EXPECT_EQ(again.count(), 2U);
    EXPECT_EQ(again.work_added(), 2U);
    EXPECT_TRUE(again.get(cid(2)).value());
}

TEST_F(StateTest, newer_format_is_refused_by_name) {
    storage::Batch batch;
    Bytes version;
    put_be32(version, kFormatVersion + 1);
    batch.put(storage::Family::meta, "format", version);
    ASSERT_TRUE(self.store.write(std::move(batch)));
    State newer(self.store, peer(1));
    const auto opened = newer.open();
    EXPECT_EQ(opened.error().kind, Kind::unsupported);
    EXPECT_NE(opened.error().text.find("format 3"), std::string::npos);
}

TEST(SessionWindowTest, remembers_exactly_the_last_window) {
    SessionWindow window;
    EXPECT_FALSE(window.accept(0));
    EXPECT_TRUE(window.accept(1));
    EXPECT_FALSE(window.accept(1));
    EXPECT_TRUE(window.accept(1024));  // 1 is the oldest that can still be told
    EXPECT_FALSE(window.accept(1));
    EXPECT_TRUE(window.accept(2));
    EXPECT_TRUE(window.accept(1026));
    EXPECT_FALSE(window.accept(2)) << "too old to tell";
    EXPECT_TRUE(window.accept(3));
    EXPECT_TRUE(window.accept(5000));
    EXPECT_TRUE(window.accept(4999));
    EXPECT_FALSE(window.accept(1026));
    const auto copy = SessionWindow::decode(window.encode());
    ASSERT_TRUE(copy);
    auto again = copy.value();
    EXPECT_FALSE(again.accept(4999));
    EXPECT_TRUE(again.accept(4998));
    EXPECT_FALSE(SessionWindow::decode("short"));
    auto without_last = window.encode();
    for (std::size_t at = 16; at < without_last.size(); ++at) without_last[at] = 0;
    EXPECT_EQ(SessionWindow::decode(without_last).error().kind, Kind::corrupt);
}

}  // namespace
}  // namespace ipfscluster::state
