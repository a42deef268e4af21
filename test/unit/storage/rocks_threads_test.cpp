// Who waits for what: a sync for its disk and nobody else's work, a write on the strand for
// nothing.
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <future>
#include <iostream>
#include <thread>

#include "runtime/asio_world.hpp"
#include "runtime/task_group.hpp"
#include "storage/rocks_store.hpp"
#include "support/slow_fs.hpp"
#include "support/temp_folder.hpp"

namespace ipfscluster::storage {
namespace {

using namespace std::chrono_literals;

/// Long for one sync on a busy disk, short for a test that fails.
constexpr Duration kPatience = 10s;

using Gate = std::shared_future<void>;

/// Work that ends when the gate opens.
asio::awaitable<void> wait_at(World* world, Gate gate) {
    auto work = [gate]() -> Result<> {
        gate.wait();
        return ok();
    };
    auto done = co_await offload(*world, std::move(work));
    EXPECT_TRUE(done) << done.error().text;
}

asio::awaitable<void> write_one(World* world, RocksStore* store, std::promise<void>* gate,
                                Result<>* out) {
    Batch batch;
    batch.put(Family::raft_log, "key", "value");
    auto written = co_await with_deadline<void>(*world, kPatience, "a synced write",
                                                store->write_synced(std::move(batch)));
    *out = std::move(written);
    gate->set_value();
}

TEST(RocksThreads, a_synced_write_does_not_wait_behind_bulk_work) {
    test::TempFolder folder;
    asio::io_context io;
    AsioWorld world(io);
    auto store = RocksStore::open(world, {.folder = folder.path("db")});
    ASSERT_TRUE(store) << store.error().text;
    std::promise<void> opener;
    const Gate gate = opener.get_future().share();
    Result<> written = fail(Kind::internal, "never ended");
    TaskGroup tasks(world, "test");
    for (int i = 0; i < 8; ++i) tasks.spawn(wait_at(&world, gate));
    tasks.spawn(write_one(&world, store.value().get(), &opener, &written));
    io.run();
    EXPECT_TRUE(written) << written.error().text;
}

Batch one_pin(int number) {
    Bytes key;
    put_be32(key, static_cast<std::uint32_t>(number));
    Batch batch;
    batch.put(Family::pins, key, Bytes(600, 'p'));
    batch.put(Family::work, key, Bytes(100, 'w'));
    batch.put(Family::raft_log, std::move(key), Bytes(300, 'l'));
    return batch;
}

/// Small logs, so that they change often.
RocksOptions small_logs(const test::TempFolder& folder, rocksdb::Env* env) {
    return {.folder = folder.path("db"),
            .write_buffers_bytes = 8U << 20,
            .wal_bytes_max = 512U << 10,
            .env = env};
}

asio::awaitable<void> close_store(RocksStore* store, Result<>* out) {
    auto closed = co_await store->close();
    *out = std::move(closed);
}

TEST(RocksThreads, no_write_waits_for_the_disk_at_a_change_of_logs) {
    constexpr int kPins = 4000;
    test::TempFolder folder;
    const auto slow = std::make_shared<test::SlowFs>();
    const auto env = rocksdb::NewCompositeEnv(slow);
    asio::io_context io;
    AsioWorld world(io);
    auto store = RocksStore::open(world, small_logs(folder, env.get()));
    ASSERT_TRUE(store) << store.error().text;
    slow->hold_log_syncs(true);
    std::promise<void> written;
    auto all_written = written.get_future();
    std::thread strand([&] {
        for (int i = 0; i < kPins; ++i) EXPECT_TRUE(store.value()->write(one_pin(i)));
        written.set_value();
        io.run();
    });
    EXPECT_EQ(all_written.wait_for(std::chrono::seconds(20)), std::future_status::ready)
        << "a write stands still while a log is synced";
    slow->hold_log_syncs(false);
    strand.join();
    EXPECT_EQ(store.value()->stalled_writes(), 0U);
    Result<> closed = fail(Kind::internal, "never ended");
    asio::co_spawn(world.executor(), close_store(store.value().get(), &closed), asio::detached);
    io.restart();
    io.run();
    EXPECT_TRUE(closed) << closed.error().text;
    store.value().reset();
    auto again = RocksStore::open(world, small_logs(folder, env.get()));
    ASSERT_TRUE(again) << again.error().text;
    for (int i = 0; i < kPins; ++i)
        ASSERT_TRUE(again.value()->get(Family::pins, one_pin(i).changes()[0].key).value()) << i;
}

struct Waits {
    int writes = 0;
    int long_ones = 0;
    std::chrono::milliseconds longest{0};
};

/// A write that took as long as half a sync must have waited for one.
Result<> timed_write(RocksStore& store, Batch batch, std::chrono::milliseconds sync, Waits& waits) {
    const auto begin = std::chrono::steady_clock::now();
    auto written = store.write(std::move(batch));
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - begin);
    ++waits.writes;
    if (took >= sync / 2) ++waits.long_ones;
    waits.longest = std::max(waits.longest, took);
    return written;
}

constexpr std::chrono::milliseconds kSlowSync{300};

asio::awaitable<void> pin_many(RocksStore* store, int pins, bool with_room, Waits* waits) {
    for (int i = 0; i < pins; ++i) {
        if (with_room && i % 64 == 0) {
            auto room = co_await store->room();
            EXPECT_TRUE(room);
        }
        auto written = timed_write(*store, one_pin(i), kSlowSync, *waits);
        EXPECT_TRUE(written);
        if (i % 64 == 0) co_await asio::post(asio::use_awaitable);
        if (i % 5000 == 4999) {
            auto synced = co_await store->sync();
            EXPECT_TRUE(synced);
        }
    }
}

Waits measure(std::string slow_files, std::size_t buffers, int pins, bool with_room,
              std::uint64_t* stalled) {
    test::TempFolder folder;
    const auto slow = std::make_shared<test::SlowFs>();
    slow->set_sync_time(std::move(slow_files), kSlowSync);
    const auto env = rocksdb::NewCompositeEnv(slow);
    asio::io_context io;
    AsioWorld world(io);
    auto options = small_logs(folder, env.get());
    options.write_buffers_bytes = buffers;
    auto store = RocksStore::open(world, options);
    EXPECT_TRUE(store) << store.error().text;
    Waits waits;
    asio::co_spawn(world.executor(), pin_many(store.value().get(), pins, with_room, &waits),
                   asio::detached);
    io.run();
    *stalled = store.value()->stalled_writes();
    std::cout << waits.writes << " writes, " << waits.long_ones << " waited, the longest for "
              << waits.longest.count() << " ms\n";
    return waits;
}

TEST(RocksThreads, twenty_thousand_pins_on_slow_syncs_never_hold_the_strand) {
    std::uint64_t stalled = 0;
    const auto waits = measure(".log", 8U << 20, 20'000, false, &stalled);
    EXPECT_EQ(waits.writes, 20'000);
    // A busy machine may stop us once; without the mechanism each change of logs does.
    EXPECT_LE(waits.long_ones, 2);
    EXPECT_EQ(stalled, 0U);
}

TEST(RocksThreads, a_bulk_writer_that_asks_for_room_never_holds_the_strand) {
    constexpr int kPins = 10'000;
    std::uint64_t stalled = 0;
    const auto heedless = measure(".sst", 512U << 10, kPins, false, &stalled);
    EXPECT_GT(stalled, 0U) << "the disk must be too slow for whoever does not ask";
    const auto waits = measure(".sst", 512U << 10, kPins, true, &stalled);
    EXPECT_EQ(waits.writes, heedless.writes);
    EXPECT_LE(waits.long_ones, 2);
    EXPECT_EQ(stalled, 0U);
}

}  // namespace
}  // namespace ipfscluster::storage
