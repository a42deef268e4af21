#include "blockstore/indexed_store.hpp"

#include <filesystem>
#include <fstream>

#include "support.hpp"

namespace ipfscluster::blockstore {
namespace {

namespace fs = std::filesystem;

class IndexedStoreTest : public ::testing::Test {
 protected:
    ~IndexedStoreTest() override { close(); }
    Result<> open() {
        storage::RocksOptions index;
        index.folder = folder.path("index");
        SegmentStoreOptions segments{.folder = folder.path("segments"),
                                     .peer_name = "peer-1",
                                     .storage_max = 1U << 30,
                                     .reserve = 0,
                                     .segment_bytes = 64 * 1024};
        auto opened = real.run(open_indexed(real.world, index, segments));
        if (!opened) return fail(opened.error());
        store = std::move(opened.value());
        return ok();
    }
    void close() {
        if (!store.blocks) return;
        EXPECT_TRUE(real.run(store.blocks->close()));
        EXPECT_TRUE(real.run(store.rows->close()));
        store = {};
    }
    void put(std::uint64_t count) {
        std::vector<dag::Block> blocks;
        for (std::uint64_t i = 0; i < count; ++i) blocks.push_back(make_block(i, 1000));
        const auto epoch = store.blocks->loss_epoch();
        ASSERT_TRUE(real.run(store.blocks->put(std::move(blocks))));
        ASSERT_TRUE(real.run(store.blocks->sync(epoch)));
    }
    std::uint64_t readable(std::uint64_t count) {
        std::uint64_t good = 0;
        for (std::uint64_t i = 0; i < count; ++i) {
            const auto want = make_block(i, 1000);
            auto got = real.run(store.blocks->get(Bytes(want.cid.multihash())));
            if (got && got.value() && *got.value() == want.data) ++good;
        }
        return good;
    }
    /// Overwrites the files of the index whose name begins so; how many.
    int damage(const std::string& name) {
        int damaged = 0;
        for (const auto& entry : fs::directory_iterator(folder.path("index"))) {
            if (!entry.path().filename().string().starts_with(name)) continue;
            std::ofstream(entry.path(), std::ios::binary) << "nonsense";
            ++damaged;
        }
        return damaged;
    }
    test::TempFolder folder;
    RealWorld real;
    IndexedStore store;
};

TEST_F(IndexedStoreTest, a_damaged_index_is_built_anew) {
    for (const char* file : {"CURRENT", "MANIFEST"}) {
        ASSERT_TRUE(open());
        put(200);
        close();
        ASSERT_GT(damage(file), 0) << file;
        const auto opened = open();
        ASSERT_TRUE(opened) << file << ": " << opened.error().text;
        EXPECT_TRUE(store.blocks->rebuilt()) << file;
        EXPECT_EQ(readable(200), 200U) << file;
        close();
        EXPECT_FALSE(fs::exists(folder.path("index.damaged")));
        ASSERT_TRUE(open());
        EXPECT_FALSE(store.blocks->rebuilt()) << "it is whole again";
        close();
    }
}

TEST_F(IndexedStoreTest, an_index_stays_when_the_segments_are_to_blame) {
    ASSERT_TRUE(open());
    put(200);
    close();
    // A later format: not ours to read.
    for (const auto& entry : fs::directory_iterator(folder.path("segments"))) {
        if (entry.path().extension() != ".blocks") continue;
        std::fstream file(entry.path(), std::ios::binary | std::ios::in | std::ios::out);
        file.seekp(8);
        file.write("\0\0\0\x09", 4);
    }
    ASSERT_GT(damage("CURRENT"), 0);
    const auto opened = open();
    ASSERT_FALSE(opened);
    EXPECT_TRUE(fs::exists(folder.path("index/CURRENT"))) << "put back";
    EXPECT_FALSE(fs::exists(folder.path("index.damaged")));
}

}  // namespace
}  // namespace ipfscluster::blockstore
