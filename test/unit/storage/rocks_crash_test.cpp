// The real adapter on a file system that forgets unsynced bytes.
#include <gtest/gtest.h>

#include <cstdlib>

#include "storage/rocks_store.hpp"
#include "support/drive.hpp"
#include "support/dropping_fs.hpp"
#include "support/temp_folder.hpp"

namespace ipfscluster::storage {
namespace {

using test::DroppingFs;

constexpr int kBatchesMax = 900;

/// 25, or as many as ICL_CRASHES says.
std::uint64_t crashes() {
    const char* asked = std::getenv("ICL_CRASHES");
    return asked ? std::strtoull(asked, nullptr, 10) : 25;
}

Bytes number(int i) {
    Bytes key;
    put_be32(key, static_cast<std::uint32_t>(i));
    return key;
}

Batch numbered(int i) {
    Batch batch;
    batch.put(Family::pins, number(i), Bytes(900, 'p'));
    batch.put(Family::raft_log, number(i), Bytes(100, 'l'));
    batch.put(Family::raft_meta, "applied", number(i));
    return batch;
}

/// Numbers are given when the write happens, since tasks start later than they are made.
struct Writer {
    Store* store = nullptr;  ///< null once the power is off
    int next = 0;
    int acknowledged = -1;
    Result<> write() { return store->write(numbered(next++)); }
};

asio::awaitable<void> write_synced(std::shared_ptr<Writer> writer) {
    if (!writer->store) co_return;
    const auto i = writer->next++;
    auto done = co_await writer->store->write_synced(numbered(i));
    if (done) writer->acknowledged = std::max(writer->acknowledged, i);
}

struct Crash {
    int acknowledged = -1;  ///< the last batch whose write_synced returned ok
    int survived = -1;
    bool torn = false;
};

/// Writes numbered batches, some synced, and cuts the power at a moment drawn from the seed.
Crash crash_once(std::uint64_t seed, bool with_syncs) {
    test::TempFolder folder;
    auto dropping = std::make_shared<DroppingFs>(seed);
    const auto env = rocksdb::NewCompositeEnv(dropping);
    SimWorld world(seed);
    Crash crash;
    // Small buffers, so that flushes and log changes happen within the run.
    const RocksOptions options{.folder = folder.path("db"),
                               .write_buffers_bytes = 256 << 10,
                               .wal_bytes_max = 512 << 10,
                               .env = env.get()};
    {
        auto store = RocksStore::open(world, options);
        EXPECT_TRUE(store) << store.error().text;
        dropping->ignore_log_syncs(!with_syncs);
        const auto moment = world.random_between(1, kBatchesMax);
        // Seldom enough at times that a log is full before anybody asked for a sync.
        const auto sync_one_in = seed % 2 == 0 ? 3 : 300;
        auto writer = std::make_shared<Writer>(Writer{.store = store.value().get()});
        while (writer->next < static_cast<int>(moment)) {
            if (world.random_between(0, sync_one_in) == 0) {
                asio::co_spawn(world.executor(), write_synced(writer), asio::detached);
                world.step();
            } else {
                EXPECT_TRUE(writer->write());
            }
            for (auto steps = world.random_between(0, 6); steps > 0; --steps) world.step();
        }
        dropping->stop();
        writer->store = nullptr;
        crash.acknowledged = writer->acknowledged;
        store.value().reset();
        // Ends the waiting coroutines while the environment still stands.
        world.run_for(std::chrono::seconds(1));
    }
    dropping->crash();
    auto store = RocksStore::open(world, options);
    // Without syncs the engine may notice that its log is gone and refuse to open.
    EXPECT_TRUE(store || !with_syncs) << "seed " << seed << ": " << store.error().text;
    if (!store) return crash;
    if (const auto last = store.value()->get(Family::raft_meta, "applied").value())
        crash.survived = static_cast<int>(get_be32(*last));
    for (const auto family : {Family::pins, Family::raft_log}) {
        int next = 0;
        auto it = store.value()->iterate(family, "", "");
        while (it->next().value()) crash.torn = crash.torn || it->key() != number(next++);
        crash.torn = crash.torn || next != crash.survived + 1;
    }
    return crash;
}

TEST(RocksCrashTest, acknowledged_batches_survive_and_the_rest_is_a_prefix) {
    int acknowledged = 0;
    for (std::uint64_t seed = 1; seed <= crashes(); ++seed) {
        const auto crash = crash_once(seed, true);
        EXPECT_GE(crash.survived, crash.acknowledged) << "seed " << seed;
        EXPECT_FALSE(crash.torn) << "seed " << seed;
        acknowledged += crash.acknowledged + 1;
    }
    EXPECT_GT(acknowledged, 0);
    RecordProperty("acknowledged", acknowledged);
    std::printf("%d crashes, seeds from 1, %d batches acknowledged before them\n",
                static_cast<int>(crashes()), acknowledged);
}

TEST(RocksCrashTest, without_the_sync_acknowledged_batches_are_lost) {
    int lost = 0;
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        const auto crash = crash_once(seed, false);
        if (crash.survived < crash.acknowledged) ++lost;
    }
    EXPECT_GT(lost, 0);
}

}  // namespace
}  // namespace ipfscluster::storage
