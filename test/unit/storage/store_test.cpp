// What both stores promise.
#include "storage/store.hpp"

#include <gtest/gtest.h>

#include "storage/memory_store.hpp"
#include "storage/rocks_store.hpp"
#include "support/drive.hpp"
#include "support/temp_folder.hpp"

namespace ipfscluster::storage {
namespace {

using test::drive;

enum class Engine { memory, rocks };

class StoreTest : public ::testing::TestWithParam<Engine> {
 protected:
    StoreTest() { open(); }
    void open() {
        if (GetParam() == Engine::memory) {
            store = std::make_unique<MemoryStore>(world, disk);
            return;
        }
        auto opened = RocksStore::open(world, {.folder = folder.path("db")});
        ASSERT_TRUE(opened) << opened.error().text;
        store = std::move(opened.value());
    }
    Result<> put(Family family, Bytes key, Bytes value) {
        Batch batch;
        batch.put(family, std::move(key), std::move(value));
        return store->write(std::move(batch));
    }
    Bytes get(Family family, BytesView key, const SnapshotPtr& at = nullptr) {
        auto got = store->get(family, key, at);
        EXPECT_TRUE(got);
        return got && got.value() ? *got.value() : Bytes("-");
    }
    std::string keys(std::unique_ptr<Iterator> it) {
        std::string all;
        for (;;) {
            auto more = it->next();
            EXPECT_TRUE(more);
            if (!more || !more.value()) return all;
            all += std::string(it->key()) + "=" + std::string(it->value()) + " ";
        }
    }

    SimWorld world{1};
    test::TempFolder folder;
    std::shared_ptr<MemoryDisk> disk = std::make_shared<MemoryDisk>();
    std::unique_ptr<Store> store;
};

TEST_P(StoreTest, batch_applies_in_order_across_families) {
    Batch batch;
    batch.put(Family::pins, "a", "1");
    batch.put(Family::work, "a", "2");
    batch.put(Family::pins, "b", "3");
    batch.put(Family::pins, "c", "4");
    batch.del(Family::pins, "a");
    batch.del_range(Family::pins, "b", "c");
    batch.put(Family::pins, "b", "5");
    ICL_EXPECT_OK(store->write(batch));
    EXPECT_EQ(get(Family::pins, "a"), "-");
    EXPECT_EQ(get(Family::work, "a"), "2");
    EXPECT_EQ(keys(store->iterate(Family::pins, "", "")), "b=5 c=4 ");
}

TEST_P(StoreTest, range_without_end_reaches_the_last_key) {
    ICL_EXPECT_OK(put(Family::raft_log, Bytes(8, '\xff'), "x"));
    ICL_EXPECT_OK(put(Family::raft_log, "a", "x"));
    Batch batch;
    batch.del_range(Family::raft_log, "b", "");
    ICL_EXPECT_OK(store->write(batch));
    EXPECT_EQ(keys(store->iterate(Family::raft_log, "", "")), "a=x ");
}

TEST_P(StoreTest, iterator_keeps_bounds_seeks_and_stays_at_its_end) {
    for (const char* k : {"a", "b", "c", "d", "e"}) ICL_EXPECT_OK(put(Family::pins, k, "v"));
    EXPECT_EQ(keys(store->iterate(Family::pins, "b", "d")), "b=v c=v ");
    auto it = store->iterate(Family::pins, "b", "e");
    it->seek("d");
    EXPECT_TRUE(it->next().value());
    EXPECT_EQ(it->key(), "d");
    EXPECT_FALSE(it->next().value());
    EXPECT_FALSE(it->next().value());
    it->seek("a");  // before the lower bound
    EXPECT_TRUE(it->next().value());
    EXPECT_EQ(it->key(), "b");
    it->seek("c");
    EXPECT_TRUE(it->next().value());
    EXPECT_EQ(it->key(), "c");
}

TEST_P(StoreTest, snapshot_and_iterator_are_frozen) {
    ICL_EXPECT_OK(put(Family::pins, "a", "1"));
    ICL_EXPECT_OK(put(Family::pins, "b", "1"));
    auto snapshot = store->snapshot();
    auto it = store->iterate(Family::pins, "", "");
    Batch batch;
    batch.put(Family::pins, "a", "2");
    batch.del(Family::pins, "b");
    batch.put(Family::pins, "c", "2");
    ICL_EXPECT_OK(store->write(batch));
    EXPECT_EQ(get(Family::pins, "a", snapshot), "1");
    EXPECT_EQ(get(Family::pins, "b", snapshot), "1");
    EXPECT_EQ(get(Family::pins, "c", snapshot), "-");
    EXPECT_EQ(keys(store->iterate(Family::pins, "", "", snapshot)), "a=1 b=1 ");
    EXPECT_EQ(keys(std::move(it)), "a=1 b=1 ");
    snapshot.reset();
    EXPECT_EQ(keys(store->iterate(Family::pins, "", "")), "a=2 c=2 ");
}

TEST_P(StoreTest, data_is_there_after_close_and_open) {
    ICL_EXPECT_OK(put(Family::tracker, "k", "v"));
    ICL_EXPECT_OK(drive(world, store->close()));
    EXPECT_EQ(put(Family::tracker, "k", "w").error().kind, Kind::shutting_down);
    store.reset();
    open();
    EXPECT_EQ(get(Family::tracker, "k"), "v");
}

INSTANTIATE_TEST_SUITE_P(engines, StoreTest, ::testing::Values(Engine::memory, Engine::rocks),
                         [](const auto& row) {
                             return row.param == Engine::memory ? "memory" : "rocks";
                         });

TEST(RocksStoreTest, second_open_of_one_database_is_refused) {
    SimWorld world(1);
    test::TempFolder folder;
    auto first = RocksStore::open(world, {.folder = folder.path("db")});
    ASSERT_TRUE(first);
    auto second = RocksStore::open(world, {.folder = folder.path("db")});
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind, Kind::unavailable) << second.error().text;
}

}  // namespace
}  // namespace ipfscluster::storage
