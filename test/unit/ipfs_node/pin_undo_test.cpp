// A pin of the node's own RPC API: nobody comes back for it when it has failed.
#include "support.hpp"

namespace ipfscluster::node {
namespace {

const std::map<std::string, Bytes> kFiles = {{"a", content(21, 30'000)}, {"b", content(22, 5'000)}};

class PinUndoTest : public NodeTest {
 protected:
    PinUndoTest() {
        fetcher.blocks = dir.as_map();
        fetcher.blocks.erase(lost);
    }
    std::optional<blockstore::PinRecord> record() const {
        return node->pins().get(dir.root).value();
    }
    auto start(Async<> work) { return test::start<void>(world, std::move(work)); }
    void finish(const std::shared_ptr<std::optional<Result<>>>& out) {
        ASSERT_TRUE(world.run_until([&] { return out->has_value(); }, std::chrono::hours(1)));
    }
    /// Both calls are in their walks when the second has begun.
    void let_begin() { world.run_for(std::chrono::milliseconds(20)); }

    const Imported dir = import_directory(kFiles);
    const Cid lost = dir.blocks[3].cid;
};

asio::awaitable<void> undo_and_note(EmbeddedNode& node, Pin pin, std::optional<Result<>>& out) {
    auto done = co_await node.pin_or_undo(std::move(pin), {});
    out.emplace(std::move(done));
}

asio::awaitable<void> pin_and_note(EmbeddedNode& node, Pin pin, std::optional<Result<>>& out) {
    auto done = co_await node.pin(std::move(pin), {});
    out.emplace(std::move(done));
}

TEST_F(PinUndoTest, a_failed_pin_leaves_nothing_behind) {
    const auto failed = run(node->pin_or_undo(pin_of(dir.root), {}));
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().kind, Kind::timeout);
    EXPECT_FALSE(record());
    ASSERT_TRUE(run(blocks.sync(0)));
    EXPECT_EQ(gc(), dir.as_map().size() - 1);
}

TEST_F(PinUndoTest, a_cancelled_pin_leaves_nothing_behind) {
    std::optional<Result<>> out;
    TaskGroup group(world, "test");
    group.spawn(undo_and_note(*node, pin_of(dir.root), out));
    let_begin();
    EXPECT_TRUE(record());
    ASSERT_TRUE(run(group.stop()));
    ASSERT_TRUE(out);
    EXPECT_EQ(out->error().kind, Kind::cancelled);
    EXPECT_FALSE(record());
}

TEST_F(PinUndoTest, a_pin_of_what_is_held_leaves_nothing_behind_when_it_is_not) {
    EXPECT_EQ(run(node->pin_held(pin_of(dir.root))).error().kind, Kind::not_found);
    EXPECT_FALSE(record());
}

TEST_F(PinUndoTest, a_successful_pin_stays) {
    fetcher.blocks = dir.as_map();
    ASSERT_TRUE(run(node->pin_or_undo(pin_of(dir.root), {})));
    EXPECT_EQ(status(dir.root), IpfsPinStatus::recursive);
    EXPECT_EQ(gc(), 0u);
}

TEST_F(PinUndoTest, an_earlier_pin_comes_back) {
    auto direct = pin_of(dir.root, 0);
    direct.options.name = "mine";
    ASSERT_TRUE(run(node->pin_or_undo(direct, {})));
    EXPECT_FALSE(run(node->pin_or_undo(pin_of(dir.root), {})));
    EXPECT_EQ(run(node->pin_status(direct)).value(), IpfsPinStatus::direct);
    EXPECT_EQ(record()->name, "mine");
    EXPECT_FALSE(run(node->pin_held(pin_of(dir.root))));
    EXPECT_EQ(run(node->pin_status(direct)).value(), IpfsPinStatus::direct);
}

TEST_F(PinUndoTest, what_the_cluster_wants_stays_wanted) {
    EXPECT_FALSE(run(node->pin(pin_of(dir.root), {})));
    EXPECT_FALSE(run(node->pin_or_undo(pin_of(dir.root), {})));
    ASSERT_TRUE(record());
    EXPECT_EQ(record()->depth, -1);
    EXPECT_EQ(gc(), 0u);
}

TEST_F(PinUndoTest, what_the_cluster_wants_at_the_same_time_stays_wanted) {
    for (const bool cluster_first : {true, false}) {
        auto first = start(cluster_first ? node->pin(pin_of(dir.root), {})
                                         : node->pin_or_undo(pin_of(dir.root), {}));
        let_begin();
        auto second = start(cluster_first ? node->pin_or_undo(pin_of(dir.root), {})
                                          : node->pin(pin_of(dir.root), {}));
        finish(first);
        finish(second);
        EXPECT_FALSE(**first);
        EXPECT_FALSE(**second);
        EXPECT_TRUE(record()) << cluster_first;
        ASSERT_TRUE(run(node->unpin(dir.root)));
        EXPECT_FALSE(run(node->pin_or_undo(pin_of(dir.root), {})));
        EXPECT_FALSE(record()) << "later calls do not inherit it";
    }
}

TEST_F(PinUndoTest, one_failing_call_does_not_end_another_that_goes_on) {
    auto slow = start(node->pin_or_undo(pin_of(dir.root), {}));
    let_begin();
    EXPECT_FALSE(run(node->pin_held(pin_of(dir.root))));
    EXPECT_TRUE(record());
    fetcher.blocks = dir.as_map();
    finish(slow);
    EXPECT_TRUE(**slow);
    EXPECT_EQ(status(dir.root), IpfsPinStatus::recursive);
}

TEST_F(PinUndoTest, a_call_that_fails_after_another_succeeded_takes_nothing_away) {
    auto slow = start(node->pin_or_undo(pin_of(dir.root), {}));
    let_begin();
    ASSERT_TRUE(run(node->pin_or_undo(pin_of(dir.root, 0), {})));
    finish(slow);
    EXPECT_FALSE(**slow);
    EXPECT_EQ(run(node->pin_status(pin_of(dir.root, 0))).value(), IpfsPinStatus::direct);
}

TEST_F(PinUndoTest, an_unpin_during_the_walk_takes_the_earlier_pin_along) {
    ASSERT_TRUE(run(node->pin_or_undo(pin_of(dir.root, 0), {})));
    auto slow = start(node->pin_or_undo(pin_of(dir.root), {}));
    let_begin();
    ASSERT_TRUE(run(node->unpin(dir.root)));
    auto again = start(node->pin_or_undo(pin_of(dir.root), {}));
    finish(slow);
    finish(again);
    EXPECT_FALSE(**again);
    EXPECT_FALSE(record());
}

/// The block that was lost appears, and the calls that wait for it find it; what begins from now
/// on finds nothing for a while.
constexpr Duration kLater = std::chrono::seconds(30);

TEST_F(PinUndoTest, a_walk_that_an_unpin_overtook_does_not_complete_a_later_pin) {
    auto overtaken = start(node->pin_or_undo(pin_of(dir.root), {}));
    let_begin();
    ASSERT_TRUE(run(node->unpin(dir.root)));
    fetcher.delay = kLater;
    auto later = start(node->pin_or_undo(pin_of(dir.root), {}));
    fetcher.blocks = dir.as_map();
    world.run_for(kLater / 2);
    ASSERT_TRUE(*overtaken);
    ASSERT_FALSE(**overtaken);
    EXPECT_EQ((*overtaken)->error().kind, Kind::conflict);
    ASSERT_TRUE(record());
    EXPECT_FALSE(record()->complete);
    finish(later);
    EXPECT_TRUE(**later);
    EXPECT_EQ(status(dir.root), IpfsPinStatus::recursive);
}

TEST_F(PinUndoTest, an_overtaken_walk_leaves_nothing_of_a_later_pin_that_failed) {
    // The cluster does not come back for what it has unpinned.
    auto overtaken = start(node->pin(pin_of(dir.root), {}));
    let_begin();
    ASSERT_TRUE(run(node->unpin(dir.root)));
    EXPECT_EQ(run(node->pin_held(pin_of(dir.root))).error().kind, Kind::not_found);
    fetcher.blocks = dir.as_map();
    finish(overtaken);
    EXPECT_FALSE(**overtaken);
    EXPECT_FALSE(record());
}

TEST_F(PinUndoTest, a_smaller_pin_that_ends_first_leaves_the_larger_wish) {
    for (const bool smaller_first : {false, true}) {
        fetcher.blocks = dir.as_map();
        fetcher.blocks.erase(lost);
        if (smaller_first) fetcher.blocks.erase(dir.root);
        std::shared_ptr<std::optional<Result<>>> smaller;
        if (smaller_first) smaller = start(node->pin_or_undo(pin_of(dir.root, 0), {}));
        let_begin();
        auto larger = start(node->pin_or_undo(pin_of(dir.root), {}));
        let_begin();
        if (!smaller_first) smaller = start(node->pin_or_undo(pin_of(dir.root, 0), {}));
        fetcher.blocks[dir.root] = dir.as_map()[dir.root];
        world.run_for(std::chrono::seconds(1));
        ASSERT_TRUE(*smaller && **smaller) << smaller_first;
        ASSERT_TRUE(record());
        EXPECT_EQ(record()->depth, -1);
        EXPECT_FALSE(record()->complete);
        ASSERT_TRUE(run(blocks.sync(0)));
        EXPECT_EQ(gc(), 0u) << "what the larger one has met is kept";
        fetcher.blocks = dir.as_map();
        finish(larger);
        EXPECT_TRUE(**larger);
        EXPECT_EQ(status(dir.root), IpfsPinStatus::recursive);
        ASSERT_TRUE(run(node->unpin(dir.root)));
        EXPECT_GT(gc(), 0u);
    }
}

TEST_F(PinUndoTest, a_smaller_pin_comes_back_when_the_larger_one_fails) {
    auto larger = start(node->pin_or_undo(pin_of(dir.root), {}));
    let_begin();
    auto direct = pin_of(dir.root, 0);
    direct.options.name = "mine";
    ASSERT_TRUE(run(node->pin_or_undo(direct, {})));
    finish(larger);
    EXPECT_FALSE(**larger);
    EXPECT_EQ(run(node->pin_status(direct)).value(), IpfsPinStatus::direct);
    EXPECT_EQ(record()->name, "mine");
}

TEST_F(PinUndoTest, a_smaller_pin_leaves_what_the_cluster_wants_although_it_failed) {
    fetcher.blocks.erase(dir.root);
    auto smaller = start(node->pin_or_undo(pin_of(dir.root, 0), {}));
    let_begin();
    std::optional<Result<>> out;
    TaskGroup group(world, "test");
    group.spawn(pin_and_note(*node, pin_of(dir.root), out));
    let_begin();
    ASSERT_TRUE(run(group.stop()));
    ASSERT_TRUE(out && !*out);
    fetcher.blocks[dir.root] = dir.as_map()[dir.root];
    finish(smaller);
    EXPECT_TRUE(**smaller);
    ASSERT_TRUE(record());
    EXPECT_EQ(record()->depth, -1);
    // The cluster comes back and has changed its mind.
    ASSERT_TRUE(run(node->pin(pin_of(dir.root, 0), {})));
    EXPECT_EQ(run(node->pin_status(pin_of(dir.root, 0))).value(), IpfsPinStatus::direct);
}

TEST_F(PinUndoTest, a_pin_that_succeeded_meanwhile_is_what_comes_back) {
    auto slow = start(node->pin_or_undo(pin_of(dir.root), {}));
    let_begin();
    ASSERT_TRUE(run(node->unpin(dir.root)));
    ASSERT_TRUE(run(node->pin_or_undo(pin_of(dir.root, 0), {})));
    EXPECT_FALSE(run(node->pin_held(pin_of(dir.root))));
    finish(slow);
    EXPECT_FALSE(**slow);
    EXPECT_EQ(run(node->pin_status(pin_of(dir.root, 0))).value(), IpfsPinStatus::direct);
}

}  // namespace
}  // namespace ipfscluster::node
