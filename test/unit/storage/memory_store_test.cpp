#include "storage/memory_store.hpp"

#include <gtest/gtest.h>

#include "support/drive.hpp"

namespace ipfscluster::storage {
namespace {

using test::drive;
using test::start;

Batch one(Bytes key, Bytes value) {
    Batch batch;
    batch.put(Family::pins, std::move(key), std::move(value));
    return batch;
}

TEST(MemoryStoreTest, overlapping_writers_share_a_sync) {
    SimWorld world(1);
    MemoryStore store(world);
    std::vector<std::shared_ptr<std::optional<Result<>>>> writers;
    for (int i = 0; i < 100; ++i)
        writers.push_back(start(world, store.write_synced(one(std::to_string(i), "v"))));
    world.run_for(std::chrono::seconds(1));
    for (const auto& w : writers) {
        ASSERT_TRUE(w->has_value());
        EXPECT_TRUE(**w);
    }
    EXPECT_LE(store.syncs(), 3U);
}

TEST(MemoryStoreTest, crash_keeps_acknowledged_writes_and_a_prefix_of_the_rest) {
    bool lost = false;
    bool kept = false;
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        SimWorld world(seed);
        MemoryStore store(world);
        ICL_EXPECT_OK(drive(world, store.write_synced(one("a", "old"))));
        for (int i = 0; i < 5; ++i) {
            Batch batch = one("u" + std::to_string(i), "v");
            batch.put(Family::pins, "a", std::to_string(i));
            batch.del_range(Family::pins, "u", "u" + std::to_string(i));
            ICL_EXPECT_OK(store.write(batch));
        }
        store.crash();
        EXPECT_EQ(store.write(one("x", "y")).error().kind, Kind::shutting_down);
        MemoryStore again(world, store.disk());
        const auto a = again.get(Family::pins, "a").value();
        ASSERT_TRUE(a);
        if (*a == "old") {
            lost = true;
            EXPECT_FALSE(again.get(Family::pins, "u0").value());
        } else {
            kept = true;
            EXPECT_TRUE(again.get(Family::pins, "u" + *a).value())
                << "a batch was torn, seed " << seed;
            EXPECT_FALSE(again.get(Family::pins, "u" + std::to_string(std::stoi(*a) - 1)).value());
        }
    }
    EXPECT_TRUE(lost);
    EXPECT_TRUE(kept);
}

TEST(MemoryStoreTest, a_broken_disk_loses_the_newest_synced_batches) {
    SimWorld world(2);
    MemoryStore store(world);
    store.disk()->keep_synced(4);
    for (int i = 0; i < 9; ++i)
        ICL_EXPECT_OK(drive(world, store.write_synced(one("a", std::to_string(i)))));
    ICL_EXPECT_OK(store.write(one("a", "unsynced")));
    EXPECT_EQ(store.disk()->lose_synced(3), 3U);
    EXPECT_EQ(store.get(Family::pins, "a").value(), "6");
    EXPECT_EQ(store.disk()->lose_synced(9), 2U) << "no more of them are kept";
    EXPECT_EQ(store.get(Family::pins, "a").value(), "4");
}

TEST(MemoryStoreTest, acknowledging_without_sync_loses_writes) {
    bool lost = false;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        SimWorld world(seed);
        MemoryStore store(world);
        store.acknowledge_without_sync(true);
        ICL_EXPECT_OK(drive(world, store.write_synced(one("a", "v"))));
        store.crash();
        MemoryStore again(world, store.disk());
        lost = lost || !again.get(Family::pins, "a").value();
    }
    EXPECT_TRUE(lost);
}

TEST(MemoryStoreTest, failed_write_changes_nothing_and_poisons) {
    SimWorld world(1);
    MemoryStore store(world);
    store.fail_write(2, {Kind::disk_full, "no room"});
    ICL_EXPECT_OK(store.write(one("a", "v")));
    EXPECT_EQ(store.write(one("b", "v")).error().kind, Kind::disk_full);
    EXPECT_EQ(store.write(one("c", "v")).error().kind, Kind::disk_full);
}

TEST(MemoryStoreTest, failed_sync_reaches_every_waiting_writer) {
    SimWorld world(1);
    MemoryStore store(world);
    store.fail_sync(1, {Kind::disk_full, "no room"});
    auto first = start(world, store.write_synced(one("a", "v")));
    auto second = start(world, store.write_synced(one("b", "v")));
    world.run_for(std::chrono::seconds(1));
    ASSERT_TRUE(first->has_value() && second->has_value());
    EXPECT_EQ((**first).error().kind, Kind::disk_full);
    EXPECT_EQ((**second).error().kind, Kind::disk_full);
    EXPECT_FALSE(store.write(one("c", "v")));
}

TEST(MemoryStoreTest, delayed_write_is_acknowledged_late) {
    SimWorld world(1);
    MemoryStore store(world);
    store.delay_write(1, std::chrono::seconds(5));
    auto written = start(world, store.write_synced(one("a", "v")));
    world.run_for(std::chrono::seconds(4));
    EXPECT_FALSE(written->has_value());
    EXPECT_TRUE(store.get(Family::pins, "a").value());
    world.run_for(std::chrono::seconds(2));
    ASSERT_TRUE(written->has_value());
    EXPECT_TRUE(**written);
}

}  // namespace
}  // namespace ipfscluster::storage
