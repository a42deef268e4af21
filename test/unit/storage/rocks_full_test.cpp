// The database on a disk that is full: errors that say so, and nothing that was synced is lost.
#include <gtest/gtest.h>

#include "storage/rocks_store.hpp"
#include "support/drive.hpp"
#include "support/full_fs.hpp"
#include "support/temp_folder.hpp"

namespace ipfscluster::storage {
namespace {

using test::drive;

class RocksFullTest : public ::testing::Test {
 protected:
    Result<std::unique_ptr<RocksStore>> open() {
        return RocksStore::open(
            world,
            {.folder = folder.path("db"), .write_buffers_bytes = 1U << 20, .env = env.get()});
    }
    Result<> put_synced(Store& store, const Bytes& key) {
        Batch batch;
        batch.put(Family::pins, key, "v");
        return drive(world, store.write_synced(std::move(batch)));
    }
    void close(std::unique_ptr<RocksStore> store) {
        static_cast<void>(drive(world, store->close()));
    }
    void expect_kept(const Bytes& key) {
        auto opened = open();
        ASSERT_TRUE(opened) << opened.error().text;
        auto got = opened.value()->get(Family::pins, key, nullptr);
        ASSERT_TRUE(got) << got.error().text;
        EXPECT_TRUE(got.value()) << key << " was synced";
        close(std::move(opened.value()));
    }

    SimWorld world{1};
    test::TempFolder folder;
    std::shared_ptr<test::FullFs> disk = std::make_shared<test::FullFs>();
    std::unique_ptr<rocksdb::Env> env = rocksdb::NewCompositeEnv(disk);
};

TEST_F(RocksFullTest, a_start_on_a_full_disk_says_so) {
    {
        auto opened = open();
        ASSERT_TRUE(opened) << opened.error().text;
        ASSERT_TRUE(put_synced(*opened.value(), "before"));
        close(std::move(opened.value()));
    }
    disk->set_full(true);
    for (int start = 0; start < 2; ++start) {
        const auto refused = open();
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().kind, Kind::disk_full) << refused.error().text;
    }
    disk->set_full(false);
    expect_kept("before");
}

TEST_F(RocksFullTest, a_disk_that_runs_full_ends_the_database_with_an_error) {
    auto opened = open();
    ASSERT_TRUE(opened) << opened.error().text;
    auto& store = *opened.value();
    ASSERT_TRUE(put_synced(store, "before"));
    disk->set_full(true);
    for (int again = 0; again < 3; ++again) {
        const auto refused = put_synced(store, "after");
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().kind, Kind::disk_full) << refused.error().text;
    }
    close(std::move(opened.value()));
    disk->set_full(false);
    expect_kept("before");
}

/// Work of the database's own: what is in memory goes to files, and it tells in its log that this
/// fails.
TEST_F(RocksFullTest, a_disk_that_runs_full_during_a_flush_ends_the_database_with_an_error) {
    auto opened = open();
    ASSERT_TRUE(opened) << opened.error().text;
    auto& store = *opened.value();
    ASSERT_TRUE(put_synced(store, "before"));
    Batch large;
    for (int i = 0; i < 2'000; ++i)
        large.put(Family::pins, "large " + std::to_string(i), Bytes(1000, 'x'));
    ASSERT_TRUE(store.write(std::move(large)));
    disk->set_full(true);
    Batch more;
    for (int i = 0; i < 2'000; ++i)
        more.put(Family::pins, "more " + std::to_string(i), Bytes(1000, 'x'));
    // It may still be in memory: nothing was said of the disk.
    static_cast<void>(store.write(std::move(more)));
    const auto refused = put_synced(store, "after");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Kind::disk_full) << refused.error().text;
    close(std::move(opened.value()));
    disk->set_full(false);
    expect_kept("before");
}

}  // namespace
}  // namespace ipfscluster::storage
