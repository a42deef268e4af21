// Which copies a peer keeps after their pins went to others, and when the pinset ends that.
#include "state/kept.hpp"

#include "state/kept_writer.hpp"
#include "state_fixture.hpp"

namespace ipfscluster::state {
namespace {

Pin direct(Pin pin) {
    pin.max_depth = kDepthDirect;
    pin.options.mode = PinMode::direct;
    return pin;
}

struct KeptTest : ::testing::Test {
    std::optional<KeptCopy> kept(int n) { return read_kept(self.store, cid(n)).value(); }
    /// Lanes of the rows of one CID, in their order.
    std::vector<WorkLane> lanes(int n) {
        std::vector<WorkLane> out;
        auto rows = self.store.iterate(storage::Family::work, "", "");
        while (rows->next().value())
            if (const auto row = parse_work_key(rows->key()).value(); row.cid == cid(n))
                out.push_back(row.lane);
        return out;
    }
    /// Another peer's pinset reaches `self` as a snapshot.
    void install(Peer& from) {
        ASSERT_TRUE(self.state.begin_staging());
        const auto at = from.store.snapshot();
        Bytes after;
        for (bool last = false; !last;) {
            const auto piece = from.state.read_snapshot(at, after, 200);
            ASSERT_TRUE(piece);
            ASSERT_TRUE(self.state.stage(piece.value()));
            after = piece.value().last_key;
            last = piece.value().last;
        }
        storage::Batch batch;
        ASSERT_TRUE(self.state.finish_staging(batch));
        ASSERT_TRUE(self.store.write(std::move(batch)));
        self.state.applied();
    }
    void compare() {
        for (bool done = false; !done;) done = self.state.reconcile_generations(1).value();
    }
    /// One that this peer held and has to keep.
    void keep(int n) {
        self.apply(++index, {pin_op(pin_on(cid(n), {peer(1)}))});
        self.apply(++index, {pin_op(pin_on(cid(n), {peer(2)}))});
        ASSERT_TRUE(kept(n));
        drop_lane(WorkLane::pin);
    }
    void drop_lane(WorkLane lane) {
        storage::Batch batch;
        batch.del_range(storage::Family::work, work_lane_key(lane, 0), work_lane_end(lane));
        ASSERT_TRUE(self.store.write(std::move(batch)));
    }

    SimWorld world{1};
    Peer self{world, peer(1)};
    std::uint64_t index = 0;
    using Lanes = std::vector<WorkLane>;
};

TEST_F(KeptTest, a_pin_given_to_others_is_kept_and_nothing_is_unpinned) {
    self.apply(1, {pin_op(pin_on(cid(1), {peer(1), peer(2)}))});
    auto moved = pin_on(cid(1), {peer(2), peer(3)});
    moved.timestamp = Time(std::chrono::seconds(1234));
    self.apply(2, {pin_op(moved)});
    EXPECT_EQ(lanes(1), (Lanes{WorkLane::pin, WorkLane::kept}));
    EXPECT_EQ(kept(1), (KeptCopy{cid(1), kDepthRecursive, 2, moved.timestamp}));
    EXPECT_EQ(self.state.kept_added(), 1U);
}

TEST_F(KeptTest, moving_on_keeps_the_same_row_and_coming_back_ends_it) {
    keep(1);
    const auto first = kept(1);
    self.apply(++index, {pin_op(pin_on(cid(1), {peer(3)}))});
    EXPECT_EQ(kept(1), first);
    self.apply(++index, {pin_op(pin_on(cid(1), {peer(3), peer(1)}))});
    EXPECT_EQ(lanes(1), Lanes{WorkLane::pin});
}

TEST_F(KeptTest, an_unpin_releases_at_once) {
    keep(1);
    self.apply(++index, {unpin_op(cid(1))});
    EXPECT_EQ(lanes(1), Lanes{WorkLane::unpin});
    // What comes after it for others is no business of ours.
    self.apply(++index, {pin_op(pin_on(cid(1), {peer(2)}))});
    EXPECT_EQ(lanes(1), Lanes{WorkLane::unpin});
}

TEST_F(KeptTest, an_unpin_and_a_pin_elsewhere_in_one_entry_release_too) {
    keep(1);
    self.apply(++index, {unpin_op(cid(1)), pin_op(pin_on(cid(1), {peer(2)}))});
    EXPECT_EQ(lanes(1), Lanes{WorkLane::unpin});
}

TEST_F(KeptTest, expiry_releases) {
    auto pin = pin_on(cid(1), {peer(1)});
    pin.options.expire_at = Time(std::chrono::seconds(100));
    self.apply(++index, {pin_op(pin)});
    pin.allocations = {peer(2)};
    self.apply(++index, {pin_op(pin)});
    ASSERT_TRUE(kept(1));
    drop_lane(WorkLane::pin);
    auto expire = unpin_op(cid(1));
    expire.only_if_expired_by = Time(std::chrono::seconds(101));
    self.apply(++index, {expire});
    EXPECT_EQ(lanes(1), Lanes{WorkLane::unpin});
}

TEST_F(KeptTest, from_everywhere_to_two_who_were_not_chosen_keep) {
    auto everywhere = pin_on(cid(1), {});
    everywhere.options.replication_min = everywhere.options.replication_max = -1;
    self.apply(++index, {pin_op(everywhere)});
    auto few = pin_on(cid(1), {peer(2), peer(3)});
    few.options.replication_min = 2;
    few.options.replication_max = 3;
    self.apply(++index, {pin_op(few)});
    EXPECT_TRUE(kept(1));
    self.apply(++index, {pin_op(everywhere)});
    EXPECT_FALSE(kept(1)) << "everywhere is here";
}

TEST_F(KeptTest, no_more_is_kept_than_the_pin_still_asks_for) {
    self.apply(++index, {pin_op(direct(pin_on(cid(1), {peer(1)})))});
    self.apply(++index, {pin_op(pin_on(cid(1), {peer(2)}))});
    EXPECT_EQ(kept(1)->depth, kDepthDirect) << "only the root was held";
    keep(2);
    EXPECT_EQ(kept(2)->depth, kDepthRecursive);
    self.apply(++index, {pin_op(direct(pin_on(cid(2), {peer(2)})))});
    EXPECT_EQ(kept(2)->depth, kDepthDirect);
    self.apply(++index, {pin_op(pin_on(cid(2), {peer(2)}))});
    EXPECT_EQ(kept(2)->depth, kDepthDirect) << "it may have been let go below the root";
}

TEST_F(KeptTest, a_snapshot_tells_what_is_kept_released_and_wanted_again) {
    Peer leader(world, peer(3));
    for (int n = 1; n <= 3; ++n) keep(n);
    self.apply(++index, {pin_op(pin_on(cid(4), {peer(1)})), pin_op(pin_on(cid(5), {peer(1)}))});
    drop_lane(WorkLane::pin);
    leader.apply(50, {pin_op(pin_on(cid(1), {peer(2)})),    // as it was
                      pin_op(pin_on(cid(2), {peer(1)})),    // ours again
                      pin_op(pin_on(cid(4), {peer(2)}))});  // moved away; 3 and 5 are gone
    install(leader);
    compare();
    EXPECT_EQ(lanes(1), Lanes{WorkLane::kept});
    EXPECT_EQ(lanes(2), Lanes{WorkLane::pin});
    EXPECT_EQ(lanes(3), Lanes{WorkLane::unpin});
    EXPECT_EQ(lanes(4), Lanes{WorkLane::kept});
    EXPECT_EQ(lanes(5), Lanes{WorkLane::unpin});
}

TEST_F(KeptTest, an_operation_before_the_comparison_has_come_so_far_is_not_undone_by_it) {
    Peer leader(world, peer(3));
    keep(1);
    self.apply(++index, {pin_op(pin_on(cid(2), {peer(1)}))});
    drop_lane(WorkLane::pin);
    leader.apply(50, {pin_op(pin_on(cid(1), {peer(2)})), pin_op(pin_on(cid(2), {peer(2)}))});
    install(leader);
    self.apply(51, {unpin_op(cid(1)), pin_op(pin_on(cid(2), {peer(1)}))});
    compare();
    EXPECT_EQ(lanes(1), Lanes{WorkLane::unpin});
    EXPECT_EQ(kept(2), std::nullopt);
    for (const auto lane : lanes(2)) EXPECT_EQ(lane, WorkLane::pin);
}

TEST_F(KeptTest, a_batch_that_is_given_up_leaves_nothing_behind) {
    keep(1);
    storage::Batch batch;
    ASSERT_TRUE(self.state.apply(batch, 90, {unpin_op(cid(1))}));
    self.state.dropped();
    EXPECT_TRUE(kept(1));
    self.apply(++index, {unpin_op(cid(1))});
    EXPECT_EQ(lanes(1), Lanes{WorkLane::unpin});
}

TEST_F(KeptTest, a_restart_knows_that_there_are_rows) {
    keep(1);
    State again(self.store, peer(1));
    ASSERT_TRUE(again.open());
    storage::Batch batch;
    ASSERT_TRUE(again.apply(batch, ++index, {unpin_op(cid(1))}));
    ASSERT_TRUE(self.store.write(std::move(batch)));
    EXPECT_EQ(lanes(1), Lanes{WorkLane::unpin});
}

TEST_F(KeptTest, rows_come_in_order_from_any_place) {
    for (int n = 0; n < 9; ++n) keep(n);
    std::vector<Cid> expected;
    for (int n = 0; n < 9; ++n) expected.push_back(cid(n));
    std::sort(expected.begin(), expected.end());
    for (std::size_t from = 0; from <= 9; ++from) {
        KeptRows rows(self.store, from == 0 ? Cid() : expected[from - 1]);
        for (auto at = from; at < 9; ++at) EXPECT_EQ(rows.next().value()->cid, expected[at]);
        EXPECT_FALSE(rows.next().value());
    }
}

TEST(KeptCodec, damaged_and_newer_rows_are_told_apart) {
    const KeptCopy kept{cid(1), 2, 77, Time(std::chrono::seconds(5))};
    const auto bytes = encode(kept);
    EXPECT_EQ(decode_kept(cid(1), bytes).value(), kept);
    EXPECT_EQ(decode_kept(cid(1), "").error().kind, Kind::corrupt);
    EXPECT_EQ(decode_kept(cid(1), BytesView(bytes).substr(1)).error().kind, Kind::unsupported);
    EXPECT_EQ(decode_kept(cid(1), bytes + "x").error().kind, Kind::corrupt);
    auto newer = bytes;
    newer[0] = 2;
    EXPECT_EQ(decode_kept(cid(1), newer).error().kind, Kind::unsupported);
}

TEST(KeptCodec, recursive_is_the_largest_depth) {
    EXPECT_EQ(smaller_depth(kDepthRecursive, kDepthDirect), kDepthDirect);
    EXPECT_EQ(smaller_depth(2, kDepthRecursive), 2);
    EXPECT_EQ(smaller_depth(3, 1), 1);
    EXPECT_EQ(smaller_depth(kDepthRecursive, kDepthRecursive), kDepthRecursive);
}

TEST_F(KeptTest, a_database_of_the_version_before_opens_and_becomes_this_one) {
    // As that version left it: 1 moved and waits to be unpinned, 2 moved and its unpin has failed,
    // 3 was unpinned, 4 is ours and waits for a retry.
    for (const int n : {1, 2}) self.apply(++index, {pin_op(pin_on(cid(n), {peer(2)}))});
    self.apply(++index, {pin_op(pin_on(cid(4), {peer(1)}))});
    drop_lane(WorkLane::pin);
    storage::Batch batch;
    Bytes version;
    put_be32(version, 1);
    batch.put(storage::Family::meta, "format", version);
    for (const auto& row :
         {WorkRow{WorkLane::unpin, 7, cid(1)}, WorkRow{WorkLane::retry, 99, cid(2)},
          WorkRow{WorkLane::unpin, 8, cid(3)}, WorkRow{WorkLane::retry, 98, cid(4)}})
        batch.put(storage::Family::work, work_key(row), {});
    ASSERT_TRUE(self.store.write(std::move(batch)));
    State again(self.store, peer(1));
    ASSERT_TRUE(again.open());
    EXPECT_EQ(get_be32(*self.store.get(storage::Family::meta, "format").value()), kFormatVersion);
    EXPECT_EQ(lanes(1), (Lanes{WorkLane::unpin, WorkLane::kept}));
    EXPECT_EQ(lanes(2), (Lanes{WorkLane::retry, WorkLane::kept}));
    EXPECT_EQ(lanes(3), Lanes{WorkLane::unpin});
    EXPECT_EQ(lanes(4), Lanes{WorkLane::retry});
    State third(self.store, peer(1));
    ASSERT_TRUE(third.open()) << "and only once";
    EXPECT_EQ(third.kept_added(), 0U);
}

}  // namespace
}  // namespace ipfscluster::state
