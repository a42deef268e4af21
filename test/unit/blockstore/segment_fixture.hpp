#pragma once
#include <fstream>

#include "support.hpp"

namespace ipfscluster::blockstore {

/// One SegmentStore over a folder of its own and an index in memory.
class SegmentStoreTest : public ::testing::Test {
 protected:
    ~SegmentStoreTest() override {
        if (store) close();
    }
    SegmentStoreOptions options() const {
        return {.folder = folder.path(),
                .peer_name = "peer-1",
                .storage_max = 1u << 30,
                .reserve = 0,
                .segment_bytes = segment_bytes};
    }
    void open() {
        auto opened = real.run(SegmentStore::open(real.world, *index, options()));
        ASSERT_TRUE(opened) << opened.error().text;
        store = std::move(opened).value();
    }
    void close() {
        auto closed = real.run(store->close());
        EXPECT_TRUE(closed) << closed.error().text;
        store.reset();
    }
    void reopen() {
        close();
        open();
    }
    Result<> put(std::uint64_t first, std::uint64_t count, std::size_t bytes = 1000) {
        std::vector<dag::Block> blocks;
        for (std::uint64_t i = first; i < first + count; ++i)
            blocks.push_back(make_block(i, bytes));
        const auto epoch = store->loss_epoch();
        ICL_TRY(real.run(store->put(std::move(blocks))));
        return real.run(store->sync(epoch));
    }
    /// Numbers in [first, first + count) that read back right.
    std::uint64_t readable(std::uint64_t first, std::uint64_t count, std::size_t bytes = 1000) {
        std::uint64_t good = 0;
        for (std::uint64_t i = first; i < first + count; ++i) {
            const auto want = make_block(i, bytes);
            auto got = real.run(store->get(Bytes(want.cid.multihash())));
            if (got && got.value() && *got.value() == want.data) ++good;
        }
        return good;
    }
    std::uint64_t listed() {
        auto source = store->list();
        std::uint64_t count = 0;
        while (true) {
            auto item = real.run(source->next());
            EXPECT_TRUE(item);
            if (!item || !item.value()) return count;
            ++count;
        }
    }
    std::vector<BlockInfo> sweep_all(std::uint64_t before, const KeepBlock& keep) {
        std::vector<BlockInfo> removed;
        Bytes after;
        while (true) {
            auto step = store->sweep(after, before, keep, 7);
            EXPECT_TRUE(step);
            removed.insert(removed.end(), step.value().removed.begin(), step.value().removed.end());
            if (step.value().done) return removed;
            after = step.value().last;
        }
    }
    static void overwrite(const std::string& path, std::uint64_t offset, BytesView with) {
        std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
        file.seekp(static_cast<std::streamoff>(offset));
        file << with;
    }
    std::string newest_segment() const {
        std::string newest;
        for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
            if (entry.path().extension() == ".blocks")
                newest = std::max(newest, entry.path().string());
        return newest;
    }

    TempFolder folder;
    RealWorld real;
    std::unique_ptr<storage::MemoryStore> index =
        std::make_unique<storage::MemoryStore>(real.world);
    std::uint64_t segment_bytes = 20'000;
    std::unique_ptr<SegmentStore> store;
};

}  // namespace ipfscluster::blockstore
