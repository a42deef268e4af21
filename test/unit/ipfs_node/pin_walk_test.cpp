// How walks end before their end: by a failure, by their caller.
#include "dag/dag_pb.hpp"
#include "runtime/asio_world.hpp"
#include "support.hpp"

namespace ipfscluster::node {
namespace {

dag::Block block_of(const dag::PbNode& node) {
    const auto data = dag::encode_dag_pb(node);
    return {Cid::v1(Codec::dag_pb, multihash_digest(HashCode::sha2_256, data).value()), data};
}

/// A root with `width` different nodes below it, each with the same leaf.
std::vector<dag::Block> wide_dag(std::size_t width) {
    std::vector<dag::Block> blocks;
    const Bytes leaf = "the leaf";
    blocks.push_back(
        {Cid::v1(Codec::raw, multihash_digest(HashCode::sha2_256, leaf).value()), leaf});
    dag::PbNode root;
    for (std::size_t i = 0; i < width; ++i) {
        dag::PbNode node;
        node.links.push_back({blocks.front().cid, "", 1});
        node.data = std::to_string(i);
        blocks.push_back(block_of(node));
        root.links.push_back({blocks.back().cid, "", 1});
    }
    blocks.push_back(block_of(root));
    return blocks;
}

class PinFailureTest : public NodeTest {
 protected:
    PinFailureTest() {
        for (const auto& block : dag) fetcher.blocks[block.cid] = block.data;
        for (std::size_t i = 1; i < 6; ++i) fetcher.blocks.erase(dag[i].cid);
    }
    const std::vector<dag::Block> dag = wide_dag(8);
    const Cid root = dag.back().cid;
};

TEST_F(PinFailureTest, a_block_without_sense_ends_the_pin_while_others_are_awaited) {
    const Bytes nonsense = "\xff not a node";
    const auto bad = Cid::v1(Codec::dag_pb, multihash_digest(HashCode::sha2_256, nonsense).value());
    dag::PbNode top;
    top.links = {{root, "", 1}, {bad, "", 1}};
    const auto block = block_of(top);
    fetcher.blocks[block.cid] = block.data;
    fetcher.blocks[bad] = nonsense;
    const auto begin = world.steady_now();
    const auto pinned = run(node->pin(pin_of(block.cid), {}));
    ASSERT_FALSE(pinned);
    EXPECT_EQ(pinned.error().kind, Kind::corrupt);
    EXPECT_LT(world.steady_now() - begin, std::chrono::seconds(1));
    EXPECT_EQ(fetcher.running, 0u);
}

TEST_F(PinFailureTest, a_full_disk_ends_the_pin_while_others_are_awaited) {
    // Room for the root and a little more.
    blockstore::MemoryBlockStore small(world, dag.back().data.size() + 80);
    EmbeddedNode full({.world = world, .blocks = small, .rows = rows, .fetcher = &fetcher});
    ASSERT_TRUE(run(full.start()));
    const auto begin = world.steady_now();
    const auto pinned = run(full.pin(pin_of(root), {}));
    ASSERT_FALSE(pinned);
    EXPECT_EQ(pinned.error().kind, Kind::disk_full) << pinned.error().text;
    EXPECT_LT(world.steady_now() - begin, std::chrono::seconds(1));
    EXPECT_EQ(fetcher.running, 0u);
    ASSERT_TRUE(run(full.stop()));
}

asio::awaitable<void> pin_and_count(EmbeddedNode& node, Pin pin, std::size_t& met,
                                    std::optional<Result<>>& out) {
    component::ProgressHandler progress = [&met](component::PinProgress p) { met = p.blocks; };
    auto done = co_await node.pin(std::move(pin), std::move(progress));
    out.emplace(std::move(done));
}

TEST_F(PinFailureTest, a_pin_that_stands_still_asks_for_one_block_until_it_goes_on) {
    std::size_t met = 0;
    std::optional<Result<>> out;
    TaskGroup group(world, "test");
    group.spawn(pin_and_count(*node, pin_of(root), met, out));
    world.run_for(std::chrono::seconds(9));
    EXPECT_EQ(fetcher.running, 5u);
    world.run_for(std::chrono::seconds(2));
    EXPECT_EQ(fetcher.running, 1u);
    for (std::size_t i = 1; i < 6; ++i) fetcher.blocks[dag[i].cid] = dag[i].data;
    world.run_for(std::chrono::seconds(1));
    ASSERT_TRUE(out.has_value());
    EXPECT_TRUE(*out);
    EXPECT_EQ(fetcher.running, 0u);
}

TEST_F(PinFailureTest, a_pin_that_stands_still_fails_in_time) {
    const auto begin = world.steady_now();
    const auto pinned = run(node->pin(pin_of(root), {}));
    ASSERT_FALSE(pinned);
    EXPECT_NE(pinned.error().text.find("no progress within 2m0s"), std::string::npos)
        << pinned.error().text;
    EXPECT_LE(world.steady_now() - begin, std::chrono::seconds(121));
    EXPECT_EQ(fetcher.running, 0u);
}

asio::awaitable<void> list_and_count(EmbeddedNode& node, std::size_t& met,
                                     std::optional<Result<>>& out) {
    const auto source = node.reached_blocks();
    while (true) {
        auto block = co_await source->next();
        if (!block) {
            out = fail(block.error());
            break;
        }
        if (!block.value()) {
            out = ok();
            break;
        }
        ++met;
    }
}

asio::awaitable<void> store_all(blockstore::BlockStore& store, std::vector<dag::Block> blocks) {
    auto stored = co_await store.put(std::move(blocks));
    EXPECT_TRUE(stored);
}

/// A node on a World of real threads: what reads its blocks does not feel a cancellation.
class RealNodeTest : public ::testing::Test {
 protected:
    RealNodeTest() {
        const auto all = wide_dag(kWidth);
        root.cid = all.back().cid;
        group.spawn(store_all(blocks, all));
        finish();
    }
    void run_until(std::function<bool()> holds) {
        io.restart();
        while (!holds())
            if (io.run_one() == 0) break;
    }
    void finish() {
        run_until([this] { return group.size() == 0; });
        EXPECT_EQ(group.size(), 0u);
    }

    static constexpr std::size_t kWidth = 5000;
    asio::io_context io{1};
    AsioWorld world{io};
    blockstore::MemoryBlockStore blocks{world};
    storage::MemoryStore rows{world};
    EmbeddedNode node{{.world = world, .blocks = blocks, .rows = rows}};
    TaskGroup group{world, "test"};
    Pin root;
    std::size_t met = 0;
    std::optional<Result<>> out;
};

TEST_F(RealNodeTest, a_cancelled_pin_of_what_is_held_ends_soon) {
    group.spawn(pin_and_count(node, root, met, out));
    run_until([this] { return met >= 100; });
    group.cancel();
    finish();
    ASSERT_TRUE(out && !*out);
    EXPECT_EQ(out->error().kind, Kind::cancelled);
    EXPECT_LT(met, 300u);
}

TEST_F(RealNodeTest, a_pin_that_is_cancelled_at_its_root_goes_no_further) {
    group.spawn(pin_and_count(node, root, met, out));
    group.cancel();
    finish();
    ASSERT_TRUE(out && !*out);
    EXPECT_EQ(out->error().kind, Kind::cancelled);
    EXPECT_LE(met, 1u);
}

TEST_F(RealNodeTest, a_cancelled_listing_of_what_is_reached_ends_soon) {
    group.spawn(pin_and_count(node, root, met, out));
    finish();
    ASSERT_TRUE(out && *out);
    out.reset();
    met = 0;
    group.spawn(list_and_count(node, met, out));
    run_until([this] { return met >= 100; });
    group.cancel();
    finish();
    ASSERT_TRUE(out && !*out);
    EXPECT_EQ(out->error().kind, Kind::cancelled);
    EXPECT_LT(met, 1000u);
}

}  // namespace
}  // namespace ipfscluster::node
