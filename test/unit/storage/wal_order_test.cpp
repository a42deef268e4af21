// The order in which logs reach the disk, on a disk that loses what was not synced.
#include "storage/wal_order.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "support/dropping_fs.hpp"
#include "support/temp_folder.hpp"

namespace ipfscluster::storage {
namespace {

using test::DroppingFs;
using FilePtr = std::unique_ptr<rocksdb::FSWritableFile>;

constexpr int kSeeds = 200;

struct Logs {
    explicit Logs(std::uint64_t seed) : dropping(std::make_shared<DroppingFs>(seed)) {}
    FilePtr begin(rocksdb::FileSystem& files, int number) {
        FilePtr file;
        const auto made = files.NewWritableFile(path(number), {}, &file, nullptr);
        EXPECT_TRUE(made.ok()) << made.ToString();
        return file;
    }
    std::string path(int number) const {
        return folder.path("00000" + std::to_string(number) + ".log");
    }
    /// The names of the files begun so far are durable.
    void sync_folder(rocksdb::FileSystem& files) {
        std::unique_ptr<rocksdb::FSDirectory> opened;
        EXPECT_TRUE(files.NewDirectory(folder.path(), {}, &opened, nullptr).ok());
        EXPECT_TRUE(opened->Fsync({}, nullptr).ok());
    }
    std::uintmax_t size(int number) const {
        return std::filesystem::exists(path(number)) ? std::filesystem::file_size(path(number)) : 0;
    }
    test::TempFolder folder;
    std::shared_ptr<DroppingFs> dropping;
};

void append(rocksdb::FSWritableFile& file, std::size_t bytes) {
    const auto done = file.Append(std::string(bytes, 'r'), {}, nullptr);
    EXPECT_TRUE(done.ok()) << done.ToString();
}

/// Three logs, the last two begun without a sync; cuts the power. True when a later log has bytes
/// of which an earlier one lacks some.
bool crash_leaves_a_hole(std::uint64_t seed, bool ordered) {
    Logs logs(seed);
    std::shared_ptr<rocksdb::FileSystem> files = logs.dropping;
    if (ordered) files = order_wal_files(files);
    {
        auto first = logs.begin(*files, 1);
        append(*first, 100);
        auto second = logs.begin(*files, 2);
        append(*second, 100);
        if (seed % 3 == 0) {
            EXPECT_TRUE(second->Sync({}, nullptr).ok());
        }
        if (seed % 3 == 1) {
            EXPECT_TRUE(first->Sync({}, nullptr).ok());
        }
        append(*second, 100);
        auto third = logs.begin(*files, 3);
        append(*third, 100);
        logs.dropping->stop();
    }
    logs.dropping->crash();
    return (logs.size(2) > 0 && logs.size(1) < 100) || (logs.size(3) > 0 && logs.size(2) < 200);
}

TEST(WalOrder, a_crash_never_keeps_a_later_log_and_loses_of_an_earlier_one) {
    int holes = 0;
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
        EXPECT_FALSE(crash_leaves_a_hole(seed, true)) << "seed " << seed;
        holes += crash_leaves_a_hole(seed, false) ? 1 : 0;
    }
    EXPECT_GT(holes, kSeeds / 10) << "without the order this test must see holes";
}

TEST(WalOrder, a_sync_of_the_new_log_makes_both_durable) {
    Logs logs(1);
    const auto files = order_wal_files(logs.dropping);
    {
        auto first = logs.begin(*files, 1);
        append(*first, 100);
        auto second = logs.begin(*files, 2);
        append(*second, 50);
        EXPECT_TRUE(files->holding());
        EXPECT_EQ(logs.size(2), 0U);
        EXPECT_EQ(second->GetFileSize({}, nullptr), 50U);
        EXPECT_TRUE(second->Sync({}, nullptr).ok());
        EXPECT_FALSE(files->holding());
        append(*second, 50);
        EXPECT_TRUE(second->Sync({}, nullptr).ok());
        logs.sync_folder(*files);
        logs.dropping->stop();
    }
    logs.dropping->crash();
    EXPECT_EQ(logs.size(1), 100U);
    EXPECT_EQ(logs.size(2), 100U);
}

TEST(WalOrder, a_log_begun_when_the_one_before_is_on_the_disk_waits_for_nothing) {
    Logs logs(1);
    const auto files = order_wal_files(logs.dropping);
    auto first = logs.begin(*files, 1);
    append(*first, 100);
    EXPECT_TRUE(first->Sync({}, nullptr).ok());
    auto second = logs.begin(*files, 2);
    append(*second, 100);
    EXPECT_FALSE(files->holding());
    EXPECT_EQ(logs.size(2), 100U);
}

TEST(WalOrder, closing_an_unsynced_log_lets_the_next_one_go_on) {
    Logs logs(1);
    const auto files = order_wal_files(logs.dropping);
    auto first = logs.begin(*files, 1);
    append(*first, 100);
    auto second = logs.begin(*files, 2);
    append(*second, 100);
    EXPECT_TRUE(first->Close({}, nullptr).ok());
    EXPECT_TRUE(second->Close({}, nullptr).ok());
    EXPECT_FALSE(files->holding());
    EXPECT_EQ(logs.size(1), 100U);
    EXPECT_EQ(logs.size(2), 100U);
}

TEST(WalOrder, a_failed_sync_of_the_log_before_fails_the_new_one) {
    Logs logs(1);
    const auto files = order_wal_files(logs.dropping);
    auto first = logs.begin(*files, 1);
    append(*first, 100);
    auto second = logs.begin(*files, 2);
    append(*second, 100);
    logs.dropping->stop();
    EXPECT_FALSE(second->Sync({}, nullptr).ok());
    EXPECT_EQ(logs.size(2), 0U);
}

TEST(WalOrder, writes_and_syncs_of_two_threads_lose_nothing) {
    Logs logs(1);
    const auto files = order_wal_files(logs.dropping);
    std::vector<FilePtr> open;
    open.push_back(logs.begin(*files, 0));
    for (int number = 1; number < 8; ++number) {
        append(*open.back(), 1000);
        open.push_back(logs.begin(*files, number));
        std::thread syncing([file = open.back().get()] {
            for (int i = 0; i < 20; ++i) EXPECT_TRUE(file->Sync({}, nullptr).ok());
        });
        for (int i = 0; i < 200; ++i) append(*open.back(), 10);
        syncing.join();
    }
    for (auto& file : open) EXPECT_TRUE(file->Close({}, nullptr).ok());
    EXPECT_EQ(logs.size(0), 1000U);
    for (int number = 1; number < 7; ++number) EXPECT_EQ(logs.size(number), 3000U);
    EXPECT_EQ(logs.size(7), 2000U);
}

}  // namespace
}  // namespace ipfscluster::storage
