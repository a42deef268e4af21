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

}  // namespace
}  // namespace ipfscluster::node
