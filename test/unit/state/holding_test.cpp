// What a peer holds after it was told to leave the pins that every peer holds to the others.
#include "state/holding.hpp"

#include "state/kept.hpp"
#include "state_fixture.hpp"

namespace ipfscluster::state {
namespace {

using Lanes = std::vector<WorkLane>;
constexpr Time kTold{std::chrono::seconds(2000000000)};
constexpr Time kTakenBack = kTimeUnset;

Pin of_all(int n) {
    auto pin = pin_on(cid(n), {});
    pin.options.replication_min = pin.options.replication_max = -1;
    return pin;
}

struct HoldingTest : ::testing::Test {
    Lanes lanes(int n) {
        Lanes out;
        auto rows = self->store.iterate(storage::Family::work, "", "");
        while (rows->next().value())
            if (const auto row = parse_work_key(rows->key()).value(); row.cid == cid(n))
                out.push_back(row.lane);
        return out;
    }
    bool tell(bool leaves, Time since) {
        storage::Batch batch;
        const bool work = self->state.heed(batch, {leaves, since});
        EXPECT_TRUE(self->store.write(std::move(batch)));
        return work;
    }
    bool step(std::size_t rows) { return self->state.reconcile_generations(rows).value(); }
    void walk() {
        while (!step(2)) continue;
    }
    void apply(Op op) { self->apply(++index, {std::move(op)}); }
    /// What is in the database comes back; what was in memory does not.
    void restart() {
        auto again = std::make_unique<Peer>(world, peer(1), self->store.disk());
        self = std::move(again);
    }
    std::optional<KeptCopy> kept(int n) { return read_kept(self->store, cid(n)).value(); }
    bool holds(const Pin& pin) { return self->state.holding().holds(pin); }
    /// Numbers 1 to `count` in the order of their CIDs.
    std::vector<int> in_order(int count) {
        std::vector<int> out;
        for (int n = 1; n <= count; ++n) out.push_back(n);
        std::sort(out.begin(), out.end(), [](int a, int b) { return cid(a) < cid(b); });
        return out;
    }

    SimWorld world{1};
    std::unique_ptr<Peer> self = std::make_unique<Peer>(world, peer(1));
    std::uint64_t index = 0;
};

TEST_F(HoldingTest, what_is_here_is_kept_until_others_have_it_and_nothing_new_comes) {
    for (int n = 1; n <= 5; ++n) apply(pin_op(of_all(n)));
    apply(pin_op(pin_on(cid(6), {peer(1)})));
    apply(pin_op(pin_on(cid(7), {peer(2)})));
    self->take_work();
    ASSERT_TRUE(tell(true, kTold));
    EXPECT_TRUE(holds(of_all(1))) << "until the walk has come to it";
    EXPECT_TRUE(self->state.holding().leaves_later(of_all(1)));
    walk();
    for (int n = 1; n <= 5; ++n) {
        EXPECT_EQ(lanes(n), Lanes{WorkLane::kept}) << n;
        EXPECT_EQ(kept(n)->since, kTold) << n;
        EXPECT_FALSE(holds(of_all(n))) << n;
    }
    EXPECT_EQ(lanes(6), Lanes{}) << "allocated by name";
    EXPECT_EQ(lanes(7), Lanes{});
    apply(pin_op(of_all(8)));
    EXPECT_EQ(lanes(8), Lanes{});
    apply(unpin_op(cid(1)));
    EXPECT_EQ(lanes(1), Lanes{WorkLane::unpin});
    EXPECT_FALSE(tell(true, kTold)) << "said again it is no news";
}

TEST_F(HoldingTest, taken_back_everything_is_wanted_again) {
    apply(pin_op(of_all(1)));
    ASSERT_TRUE(tell(true, kTold));
    walk();
    apply(pin_op(of_all(2)));
    self->take_work();
    ASSERT_TRUE(tell(false, kTakenBack));
    EXPECT_TRUE(holds(of_all(1))) << "nothing of it is let go any more";
    walk();
    EXPECT_EQ(lanes(1), Lanes{WorkLane::pin});
    EXPECT_EQ(lanes(2), Lanes{WorkLane::pin});
}

TEST_F(HoldingTest, a_walk_goes_on_after_a_restart_where_it_was) {
    for (int n = 1; n <= 6; ++n) apply(pin_op(of_all(n)));
    self->take_work();
    tell(true, kTold);
    ASSERT_FALSE(step(4));
    const auto position = self->state.holding().position();
    restart();
    EXPECT_EQ(self->state.holding().position(), position);
    EXPECT_TRUE(self->state.holding().told().leaves_everywhere);
    const auto order = in_order(6);
    EXPECT_EQ(lanes(order[3]), Lanes{WorkLane::kept});
    EXPECT_EQ(lanes(order[4]), Lanes{});
    EXPECT_FALSE(holds(of_all(order[3])));
    EXPECT_TRUE(holds(of_all(order[4])));
    walk();
    for (int n = 1; n <= 6; ++n) EXPECT_EQ(lanes(n), Lanes{WorkLane::kept}) << n;
    restart();
    EXPECT_FALSE(self->state.holding().walking());
    EXPECT_FALSE(holds(of_all(1)));
}

/// Behind a walk as in front of it: what was here is kept or unpinned, never forgotten.
TEST_F(HoldingTest, changes_meanwhile_lose_nothing_wherever_the_walk_is) {
    for (int n = 1; n <= 6; ++n) apply(pin_op(of_all(n)));
    self->take_work();
    tell(true, kTold);
    ASSERT_FALSE(step(3));
    const auto order = in_order(6);
    auto few = pin_on(cid(order[5]), {peer(2)});
    auto renamed = of_all(order[4]);
    renamed.options.name = "again";
    apply(unpin_op(cid(order[3])));
    apply(pin_op(renamed));
    apply(pin_op(few));
    apply(unpin_op(cid(order[0])));
    EXPECT_EQ(lanes(order[3]), Lanes{WorkLane::unpin}) << "not walked, and it was here";
    EXPECT_EQ(lanes(order[4]), Lanes{WorkLane::kept});
    EXPECT_EQ(lanes(order[5]), Lanes{WorkLane::kept});
    EXPECT_EQ(lanes(order[0]), Lanes{WorkLane::unpin});
    // Taken back before it came to the end.
    ASSERT_TRUE(tell(false, kTakenBack));
    walk();
    EXPECT_EQ(lanes(order[1]), Lanes{WorkLane::pin});
    EXPECT_EQ(lanes(order[2]), Lanes{WorkLane::pin});
    EXPECT_EQ(lanes(order[4]), Lanes{WorkLane::pin});
    EXPECT_EQ(lanes(order[5]), Lanes{WorkLane::kept}) << "of others by name";
}

TEST_F(HoldingTest, a_snapshot_that_comes_with_the_word_is_compared_by_it) {
    for (int n = 1; n <= 3; ++n) apply(pin_op(of_all(n)));
    self->take_work();
    Peer leader(world, peer(3));
    for (std::uint64_t n = 1; n <= 2; ++n) leader.apply(n, {pin_op(of_all(static_cast<int>(n)))});
    leader.apply(3, {pin_op(of_all(4))});
    ASSERT_TRUE(self->state.begin_staging());
    const auto piece = leader.state.read_snapshot(leader.store.snapshot(), "", 1 << 20);
    ASSERT_TRUE(piece && piece.value().last);
    ASSERT_TRUE(self->state.stage(piece.value()));
    storage::Batch batch;
    ASSERT_TRUE(self->state.finish_staging(batch));
    EXPECT_TRUE(self->state.switching());
    ASSERT_TRUE(self->state.heed(batch, {true, kTold}));
    ASSERT_TRUE(self->store.write(std::move(batch)));
    self->state.applied();
    walk();
    EXPECT_EQ(lanes(1), Lanes{WorkLane::kept});
    EXPECT_EQ(lanes(2), Lanes{WorkLane::kept});
    EXPECT_EQ(lanes(3), Lanes{WorkLane::unpin}) << "it was here and is unpinned";
    EXPECT_FALSE(holds(of_all(4)));
}

TEST_F(HoldingTest, copies_that_moved_are_counted_from_each_word_on) {
    tell(false, kTold);
    storage::Batch batch;
    self->state.count_moved(batch);
    self->state.count_moved(batch);
    ASSERT_TRUE(self->store.write(std::move(batch)));
    restart();
    EXPECT_EQ(self->state.holding().moved(), 2U);
    tell(true, kTold + std::chrono::seconds(1));
    EXPECT_EQ(self->state.holding().moved(), 0U);
    restart();
    EXPECT_EQ(self->state.holding().moved(), 0U);
}

TEST_F(HoldingTest, a_damaged_row_is_noticed) {
    storage::Batch batch;
    batch.put(storage::Family::meta, "state/told", Bytes("\x02xx"));
    ASSERT_TRUE(self->store.write(std::move(batch)));
    State again(self->store, peer(1));
    EXPECT_EQ(again.open().error().kind, Kind::unsupported);
    batch = {};
    batch.put(storage::Family::meta, "state/told", Bytes("\x01x"));
    ASSERT_TRUE(self->store.write(std::move(batch)));
    EXPECT_EQ(State(self->store, peer(1)).open().error().kind, Kind::corrupt);
}

}  // namespace
}  // namespace ipfscluster::state
