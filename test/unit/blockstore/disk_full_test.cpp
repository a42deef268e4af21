// What a really full disk does, on a tmpfs of its own; skipped where none can be mounted.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <fstream>

#include "storage/rocks_store.hpp"
#include "support.hpp"

namespace ipfscluster::blockstore {
namespace {

constexpr std::size_t kBlockBytes = 100'000;

class DiskFullTest : public ::testing::Test {
 protected:
    void SetUp() override {
        // Before any thread starts, so that all see the mount.
        if (::unshare(CLONE_NEWNS) != 0 ||
            ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
            ::mount("tmpfs", folder.path().c_str(), "tmpfs", 0, "size=128m") != 0)
            GTEST_SKIP() << "no tmpfs can be mounted here";
        mounted = true;
        real = std::make_unique<RealWorld>();
        open();
    }
    void TearDown() override {
        if (store) close();
        if (mounted) ::umount2(folder.path().c_str(), MNT_DETACH);
    }
    void open() {
        auto rows = storage::RocksStore::open(
            real->world, {.folder = folder.path() + "/index", .preallocate = false});
        ASSERT_TRUE(rows) << rows.error().text;
        index = std::move(rows).value();
        SegmentStoreOptions options;
        options.folder = folder.path();
        options.peer_name = "peer-1";
        options.reserve = 0;
        auto opened = real->run(SegmentStore::open(real->world, *index, options));
        ASSERT_TRUE(opened) << opened.error().text;
        store = std::move(opened).value();
    }
    void close() {
        (void)real->run(store->close());
        store.reset();
        (void)real->run(index->close());
        index.reset();
    }
    Result<> put(std::uint64_t first, std::uint64_t count) {
        const auto epoch = store->loss_epoch();
        for (std::uint64_t i = first; i < first + count; ++i) {
            std::vector<dag::Block> one{make_block(i, kBlockBytes)};
            ICL_TRY(real->run(store->put(std::move(one))));
        }
        return real->run(store->sync(epoch));
    }
    std::uint64_t readable(std::uint64_t first, std::uint64_t count) {
        std::uint64_t good = 0;
        for (std::uint64_t i = first; i < first + count; ++i) {
            const auto want = make_block(i, kBlockBytes);
            auto got = real->run(store->get(Bytes(want.cid.multihash())));
            if (got && got.value() && *got.value() == want.data) ++good;
        }
        return good;
    }
    /// Takes what is left of the disk but `left` bytes.
    void fill_disk(std::uint64_t left = 0) {
        const auto path = folder.path() + "/filler";
        const int fd = ::open(path.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
        const Bytes piece(4096, 'f');
        while (::write(fd, piece.data(), piece.size()) > 0) {
        }
        ::close(fd);
        std::filesystem::resize_file(path, std::filesystem::file_size(path) - left);
    }
    /// Sweeps what `keep` does not want and compacts; the bytes that came back.
    std::uint64_t collect(const KeepBlock& keep) {
        Bytes after;
        while (true) {
            auto step = store->sweep(after, store->next_sequence(), keep, 256);
            EXPECT_TRUE(step) << step.error().text;
            if (!step || step.value().done) break;
            after = step.value().last;
        }
        auto freed = real->run(store->compact());
        EXPECT_TRUE(freed) << (freed ? "" : freed.error().text);
        return freed ? freed.value() : 0;
    }
    std::uint64_t collect_all() {
        // A sweep leaves alone what is not durable yet, such as the rest of a refused add.
        (void)real->run(store->sync(store->loss_epoch()));
        return collect([](BytesView) -> Result<bool> { return false; });
    }

    TempFolder folder;
    bool mounted = false;
    std::unique_ptr<RealWorld> real;
    std::unique_ptr<storage::RocksStore> index;
    std::unique_ptr<SegmentStore> store;
};

TEST_F(DiskFullTest, a_disk_that_others_fill_mid_add_fails_the_add_and_recovers_after_gc) {
    ASSERT_TRUE(put(1, 300));
    fill_disk();
    auto refused = put(1000, 50);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Kind::disk_full);
    EXPECT_NE(refused.error().text.find("disk full on peer-1"), std::string::npos)
        << refused.error().text;
    EXPECT_FALSE(store->check_space());
    // Acknowledged blocks are all there, rows can still be written, and collecting works.
    EXPECT_EQ(readable(1, 300), 300u);
    storage::Batch row;
    row.put(kFamily, row_key(kPinRows, "some pin"), "x");
    auto written = real->run(index->write_synced(std::move(row)));
    EXPECT_TRUE(written) << written.error().text;
    EXPECT_GT(collect_all(), 0u);
    const auto again = put(2000, 20);
    EXPECT_TRUE(again) << (again ? "" : again.error().text);
    EXPECT_EQ(readable(2000, 20), 20u);
    close();
    open();
    EXPECT_EQ(readable(2000, 20), 20u);
    // Blocks of the refused add that were not yet durable when the sweep ran may be left.
    EXPECT_GE(store->stat().blocks, 20u);
}

TEST_F(DiskFullTest, an_add_that_fills_the_disk_itself_leaves_a_consistent_store) {
    ASSERT_TRUE(put(1, 50));
    auto refused = put(1000, 2000);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Kind::disk_full);
    EXPECT_NE(refused.error().text.find("disk full on peer-1"), std::string::npos)
        << refused.error().text;
    close();
    open();
    EXPECT_EQ(readable(1, 50), 50u);
    EXPECT_GT(collect_all(), 0u);
    const auto again = put(3000, 50);
    EXPECT_TRUE(again) << (again ? "" : again.error().text);
}

TEST_F(DiskFullTest, what_is_all_garbage_is_given_back_without_any_room_to_move_blocks) {
    ASSERT_TRUE(put(1, 300));
    fill_disk();
    EXPECT_FALSE(store->check_space());  // gives the spare up
    fill_disk(1u << 20);
    EXPECT_GT(collect_all(), 25'000'000u);
    EXPECT_TRUE(put(2000, 20));
}

TEST_F(DiskFullTest, the_spare_is_given_up_for_a_collection_that_moves_blocks) {
    ASSERT_TRUE(put(1, 300));
    fill_disk(1u << 20);
    const auto kept = make_block(7, kBlockBytes).cid;
    EXPECT_GT(collect([&kept](BytesView met) -> Result<bool> { return met == kept.multihash(); }),
              25'000'000u);
    EXPECT_EQ(readable(7, 1), 1u);
}

}  // namespace
}  // namespace ipfscluster::blockstore
