#include <algorithm>

#include "support.hpp"

namespace ipfscluster::node {
namespace {

const std::map<std::string, Bytes> kFiles = {{"a", content(11, 30'000)}, {"b", content(12, 5'000)}};

TEST_F(NodeTest, garbage_is_what_no_pin_reaches) {
    const auto kept = import_directory(kFiles);
    const auto dropped = import_directory({{"a", content(11, 30'000)}, {"c", content(13, 9'000)}});
    for (const auto* dir : {&kept, &dropped}) {
        ASSERT_TRUE(add(*dir));
        ASSERT_TRUE(run(node->pin(pin_of(dir->root), {})));
    }
    EXPECT_EQ(gc(), 0u);
    ASSERT_TRUE(run(node->unpin(dropped.root)));
    EXPECT_GT(gc(), 9u);
    fetcher.blocks.clear();
    for (const auto& [cid, data] : kept.as_map()) EXPECT_TRUE(blocks.has(cid.multihash()).value());
    EXPECT_FALSE(blocks.has(dropped.root.multihash()).value());
    ASSERT_TRUE(run(node->unpin(kept.root)));
    gc();
    EXPECT_EQ(blocks.stat().blocks, 0u);
}

TEST_F(NodeTest, an_uncommitted_add_is_kept_while_it_runs_and_garbage_after) {
    const auto dir = import_directory(kFiles);
    auto session = std::move(run(node->open_blocks())).value();
    for (const auto& block : dir.blocks) ASSERT_TRUE(run(session->put(block.cid, block.data)));
    EXPECT_EQ(gc(), 0u);
    session.reset();
    ASSERT_TRUE(run(blocks.sync(0)));
    EXPECT_EQ(gc(), dir.as_map().size());
    EXPECT_EQ(blocks.stat().blocks, 0u);
}

TEST_F(NodeTest, a_committed_add_is_kept_until_its_pin_takes_over_or_the_lease_ends) {
    const auto dir = import_directory(kFiles);
    ASSERT_TRUE(add(dir));
    EXPECT_EQ(gc(), 0u);
    restart();  // leases are durable
    EXPECT_EQ(gc(), 0u);
    ASSERT_TRUE(run(node->pin(pin_of(dir.root), {})));
    ASSERT_TRUE(run(node->unpin(dir.root)));
    EXPECT_GT(gc(), 0u);  // at once: the pin had ended the lease
    EXPECT_EQ(blocks.stat().blocks, 0u);

    ASSERT_TRUE(add(dir));
    world.run_for(options.gc_lease + std::chrono::seconds(1));
    EXPECT_GT(gc(), 0u);
}

TEST_F(NodeTest, what_the_cluster_wants_is_kept_however_long_its_pin_waits) {
    const auto dir = import_directory(kFiles);
    const auto part = import_directory({{"a", content(11, 30'000)}, {"d", content(14, 9'000)}});
    ASSERT_TRUE(add(dir));
    ASSERT_TRUE(add(part));
    const auto in_both = dir.as_map();
    const auto lost = std::find_if(part.blocks.begin(), part.blocks.end(),
                                   [&](const auto& b) { return !in_both.contains(b.cid); });
    ASSERT_TRUE(blocks.forget(lost->cid.multihash()));
    wanted = {pin_of(part.root), pin_of(dir.root)};
    world.run_for(options.gc_lease + std::chrono::seconds(1));
    EXPECT_EQ(gc(), 0u) << "also of what is held in part";
    fetcher.blocks.clear();
    EXPECT_TRUE(run(node->pin(pin_of(dir.root), {})));
    EXPECT_EQ(gc(), 0u);
    wanted.clear();
    EXPECT_GT(gc(), 0u);
    ASSERT_TRUE(run(node->unpin(dir.root)));
    gc();
    EXPECT_EQ(blocks.stat().blocks, 0u);
}

TEST_F(NodeTest, a_pin_of_the_root_alone_does_not_end_the_lease_of_the_add) {
    const auto dir = import_directory(kFiles);
    ASSERT_TRUE(add(dir));
    ASSERT_TRUE(run(node->pin(pin_of(dir.root, 0), {})));
    EXPECT_EQ(gc(), 0u);
    fetcher.blocks.clear();
    EXPECT_TRUE(run(node->pin(pin_of(dir.root), {})));
}

TEST_F(NodeTest, what_is_held_whole_is_pinned_on_a_full_disk_too) {
    const auto dir = import_directory(kFiles);
    std::uint64_t bytes = 0;
    for (const auto& [cid, data] : dir.as_map()) bytes += data.size();
    blockstore::MemoryBlockStore full(world, bytes);
    storage::MemoryStore full_rows(world);
    EmbeddedNode other(EmbeddedNodeConfig{.world = world,
                                          .blocks = full,
                                          .rows = full_rows,
                                          .fetcher = &fetcher,
                                          .options = options});
    ASSERT_TRUE(run(other.start()));
    auto session = std::move(run(other.open_blocks())).value();
    for (const auto& block : dir.blocks) ASSERT_TRUE(run(session->put(block.cid, block.data)));
    ASSERT_TRUE(run(session->commit()));
    ASSERT_FALSE(full.check_space());
    auto pinned = run(other.pin(pin_of(dir.root), {}));
    EXPECT_TRUE(pinned) << pinned.error().text;
    const auto missing = import_directory({{"x", content(15, 3'000)}});
    fetcher.blocks = missing.as_map();
    const auto asked = fetcher.asked.size();
    pinned = run(other.pin(pin_of(missing.root), {}));
    ASSERT_FALSE(pinned);
    EXPECT_EQ(pinned.error().kind, Kind::disk_full);
    EXPECT_EQ(fetcher.asked.size(), asked) << "nothing is fetched for which there is no room";
    ASSERT_TRUE(run(other.stop()));
}

TEST_F(NodeTest, adding_old_garbage_again_protects_it) {
    const auto dir = import_directory(kFiles);
    ASSERT_TRUE(add(dir));
    world.run_for(options.gc_lease + std::chrono::seconds(1));
    ASSERT_TRUE(add(dir));  // every block is held already
    EXPECT_EQ(gc(), 0u);
    fetcher.blocks.clear();
    EXPECT_TRUE(run(node->pin(pin_of(dir.root), {})));
}

TEST_F(NodeTest, nothing_is_collected_for_a_while_after_the_pins_were_lost) {
    const auto dir = import_directory(kFiles);
    ASSERT_TRUE(add(dir));
    ASSERT_TRUE(run(node->pin(pin_of(dir.root), {})));
    ASSERT_TRUE(run(node->unpin(dir.root)));
    restart(true);
    EXPECT_EQ(gc(), 0u);
    world.run_for(kRowsLostLease + std::chrono::seconds(1));
    EXPECT_GT(gc(), 0u);
}

TEST_F(NodeTest, a_pinned_directory_block_that_is_missing_stops_the_collection) {
    const auto dir = import_directory(kFiles);
    ASSERT_TRUE(add(dir));
    ASSERT_TRUE(run(node->pin(pin_of(dir.root), {})));
    ASSERT_TRUE(blocks.forget(dir.root.multihash()));
    auto removed = drain(node->repo_gc());
    ASSERT_FALSE(removed);
    EXPECT_NE(removed.error().text.find(dir.root.to_string()), std::string::npos);
    // The next run is not held up by this one.
    ASSERT_TRUE(run(node->unpin(dir.root)));
    EXPECT_GT(gc(), 0u);
}

TEST_F(NodeTest, two_collections_at_once_take_turns) {
    const auto dir = import_directory(kFiles);
    ASSERT_TRUE(add(dir));
    ASSERT_TRUE(run(node->pin(pin_of(dir.root), {})));
    ASSERT_TRUE(run(node->unpin(dir.root)));
    auto first = node->repo_gc();
    ASSERT_TRUE(run(first->next()));
    auto second = node->repo_gc();
    const auto out = test::start<std::optional<RepoGcKey>>(world, second->next());
    world.run_for(std::chrono::seconds(1));
    EXPECT_FALSE(*out);
    first.reset();  // its reader went away
    world.run_for(std::chrono::seconds(1));
    EXPECT_TRUE(*out && **out);
}

struct Worker {
    NodeTest* test;
    EmbeddedNode& node;
    World& world;
    Imported dir;
    bool by_fetch = false;
    bool acknowledged = false;
};

asio::awaitable<void> add_and_pin(Worker& worker, std::uint64_t start_ms, Pin pin) {
    (void)co_await worker.world.sleep_for(std::chrono::milliseconds(start_ms));
    if (!worker.by_fetch) {
        auto session = co_await worker.node.open_blocks();
        if (!session) co_return;
        for (const auto& block : worker.dir.blocks) {
            auto put = co_await session.value()->put(block.cid, block.data);
            if (!put) co_return;
        }
        auto committed = co_await session.value()->commit();
        if (!committed) co_return;
        session.value().reset();
        (void)co_await worker.world.sleep_for(std::chrono::milliseconds(start_ms % 97));
    }
    auto pinned = co_await worker.node.pin(std::move(pin), {});
    worker.acknowledged = pinned.has_value();
}

asio::awaitable<void> collect_forever(World& world, EmbeddedNode& node, bool& stop, int& runs) {
    while (!stop) {
        auto source = node.repo_gc();
        while (true) {
            auto item = co_await source->next();
            if (!item || !item.value()) break;
        }
        ++runs;
        (void)co_await world.sleep_for(std::chrono::microseconds(100));
    }
}

TEST_F(NodeTest, collecting_in_a_loop_never_takes_a_block_of_an_acknowledged_root) {
    // Roots share files, so a collection of one's garbage meets blocks another is about to rely on.
    fetcher.delay = std::chrono::microseconds(300);
    std::vector<std::unique_ptr<Worker>> workers;
    for (std::uint64_t i = 0; i < 50; ++i) {
        auto dir = import_directory({{"shared", content(100 + i % 7, 20'000)},
                                     {"own", content(200 + i % 25, 8'000)},
                                     {"tiny", Bytes(i % 5, 'x')}});
        workers.push_back(std::make_unique<Worker>(Worker{this, *node, world, dir, i % 3 == 0}));
        // Half of the contents lie there as old garbage.
        if (i % 2 == 0) {
            ASSERT_TRUE(add(dir));
        }
        for (const auto& [cid, data] : dir.as_map()) fetcher.blocks[cid] = data;
    }
    world.run_for(options.gc_lease + std::chrono::seconds(1));
    bool stop = false;
    int runs = 0;
    TaskGroup group(world, "test");
    group.spawn(collect_forever(world, *node, stop, runs));
    for (auto& worker : workers) {
        const auto start = world.random_between(0, 200);
        group.spawn(add_and_pin(*worker, start, pin_of(worker->dir.root)));
    }
    EXPECT_TRUE(world.run_until([&] { return group.size() == 1; }, std::chrono::minutes(10)));
    stop = true;
    ASSERT_TRUE(run(group.drain()));
    EXPECT_GT(runs, 10);
    fetcher.blocks.clear();
    for (const auto& worker : workers) {
        ASSERT_TRUE(worker->acknowledged);
        for (const auto& block : worker->dir.blocks)
            ASSERT_TRUE(run(node->block_get(block.cid)).value() == block.data);
    }
}

}  // namespace
}  // namespace ipfscluster::node
