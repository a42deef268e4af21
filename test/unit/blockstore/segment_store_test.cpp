#include "blockstore/segment_store.hpp"

#include <fstream>

#include "segment_fixture.hpp"

namespace ipfscluster::blockstore {
namespace {

TEST_F(SegmentStoreTest, reads_back_before_and_after_sync_and_reopen) {
    open();
    const auto block = make_block(1);
    ASSERT_TRUE(real.run(store->put({block})));
    EXPECT_EQ(readable(1, 1), 1u);
    ASSERT_TRUE(put(1, 100));
    EXPECT_EQ(readable(1, 100), 100u);
    EXPECT_EQ(store->stat().blocks, 100u);
    EXPECT_EQ(store->stat().data_bytes, 100'000u);
    EXPECT_EQ(store->stat().disk_bytes, folder.segment_bytes());
    reopen();
    EXPECT_FALSE(store->rebuilt());
    EXPECT_EQ(readable(1, 100), 100u);
    EXPECT_EQ(listed(), 100u);
    EXPECT_EQ(store->stat().blocks, 100u);
    EXPECT_EQ(real.run(store->get(Bytes(make_block(101).cid.multihash()))).value(), std::nullopt);
}

TEST_F(SegmentStoreTest, keeps_one_copy_of_equal_blocks_whatever_their_cid_version) {
    open();
    const auto block = make_block(1);
    const dag::Block other{Cid::v1(Codec::dag_pb, block.cid.multihash()), block.data};
    ASSERT_TRUE(real.run(store->put({block, other, block})));
    ASSERT_TRUE(real.run(store->sync(0)));
    EXPECT_EQ(store->stat().blocks, 1u);
    EXPECT_EQ(folder.segment_bytes(), kSegmentHeaderBytes + record_bytes(34, 1000));
}

TEST_F(SegmentStoreTest, a_touch_gives_a_new_sequence_that_survives) {
    open();
    ASSERT_TRUE(put(1, 2));
    const auto before = store->next_sequence();
    EXPECT_TRUE(store->touch(make_block(1).cid.multihash()).value());
    EXPECT_FALSE(store->touch(make_block(3).cid.multihash()).value());
    reopen();
    EXPECT_GT(store->next_sequence(), before);
    const auto removed = sweep_all(before, [](BytesView) -> Result<bool> { return false; });
    ASSERT_EQ(removed.size(), 1u);
    EXPECT_EQ(removed[0].multihash, make_block(2).cid.multihash());
}

TEST_F(SegmentStoreTest, a_lost_index_is_rebuilt_from_the_segments) {
    open();
    ASSERT_TRUE(put(1, 100));
    close();
    index = std::make_unique<storage::MemoryStore>(real.world);
    open();
    EXPECT_TRUE(store->rebuilt());
    EXPECT_EQ(readable(1, 100), 100u);
    EXPECT_EQ(store->stat().blocks, 100u);
    ASSERT_TRUE(put(101, 10));
    reopen();
    EXPECT_FALSE(store->rebuilt());
    EXPECT_EQ(readable(1, 110), 110u);
}

TEST_F(SegmentStoreTest, an_index_that_lost_its_last_writes_catches_up) {
    open();
    ASSERT_TRUE(put(1, 30));
    ASSERT_TRUE(real.run(index->sync()));
    ASSERT_TRUE(put(31, 70));
    auto disk = index->disk();
    index->crash();
    disk->lose_unsynced(0);
    (void)real.run(store->close());
    store.reset();
    index = std::make_unique<storage::MemoryStore>(real.world, disk);
    open();
    EXPECT_FALSE(store->rebuilt());
    EXPECT_EQ(readable(1, 100), 100u);
    EXPECT_EQ(store->stat().blocks, 100u);
}

TEST_F(SegmentStoreTest, a_torn_tail_of_any_length_loses_only_the_torn_block) {
    segment_bytes = 1u << 20;
    open();
    ASSERT_TRUE(put(1, 3, 40));
    close();
    const auto path = newest_segment();
    std::ifstream in(path, std::ios::binary);
    const Bytes whole((std::istreambuf_iterator<char>(in)), {});
    const auto each = record_bytes(34, 40);
    for (std::size_t bytes = kSegmentHeaderBytes; bytes < whole.size(); ++bytes) {
        for (const bool garbled : {false, true}) {
            Bytes torn = whole.substr(0, bytes);
            if (garbled) torn += Bytes(whole.size() - bytes, '\x5a');
            std::ofstream(path, std::ios::binary | std::ios::trunc) << torn;
            index = std::make_unique<storage::MemoryStore>(real.world);
            open();
            const auto intact = (bytes - kSegmentHeaderBytes) / each;
            EXPECT_EQ(readable(1, 3, 40), intact) << bytes;
            EXPECT_EQ(store->stat().blocks, intact);
            ASSERT_TRUE(put(10, 2, 40));
            reopen();
            EXPECT_EQ(readable(1, 3, 40), intact);
            EXPECT_EQ(readable(10, 2, 40), 2u) << bytes << garbled;
            close();
            for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
                if (entry.path().extension() == ".blocks") std::filesystem::remove(entry.path());
        }
    }
}

TEST_F(SegmentStoreTest, a_file_without_a_whole_header_is_passed_over) {
    open();
    ASSERT_TRUE(put(1, 3));
    close();
    std::ofstream(folder.path() + "/00000002.blocks") << "ICL";
    open();
    EXPECT_EQ(readable(1, 3), 3u);
    ASSERT_TRUE(put(4, 40));
    reopen();
    EXPECT_EQ(readable(1, 43), 43u);
}

TEST_F(SegmentStoreTest, a_block_damaged_on_the_disk_is_never_given_out_and_can_be_replaced) {
    segment_bytes = 1u << 20;
    open();
    ASSERT_TRUE(put(1, 3));
    reopen();
    overwrite(newest_segment(), kSegmentHeaderBytes + record_bytes(34, 1000) + 500, "\x7f");
    const auto block = make_block(2);
    auto got = real.run(store->get(Bytes(block.cid.multihash())));
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().kind, Kind::corrupt);
    ASSERT_TRUE(store->forget(block.cid.multihash()));
    EXPECT_FALSE(store->has(block.cid.multihash()).value());
    ASSERT_TRUE(put(2, 1));
    EXPECT_EQ(readable(1, 3), 3u);
    close();
    index = std::make_unique<storage::MemoryStore>(real.world);
    open();  // the rebuild steps over the damaged record
    EXPECT_EQ(store->damaged(), 1u);
    EXPECT_EQ(readable(1, 3), 3u);
}

TEST_F(SegmentStoreTest, a_rebuild_finds_what_lies_behind_a_damaged_length_and_appends_after_it) {
    segment_bytes = 1u << 20;
    open();
    ASSERT_TRUE(put(1, 3));
    close();
    overwrite(newest_segment(), kSegmentHeaderBytes + record_bytes(34, 1000), "\x7f");
    index = std::make_unique<storage::MemoryStore>(real.world);
    open();
    EXPECT_EQ(store->damaged(), 1u);
    EXPECT_EQ(readable(1, 3), 2u);
    ASSERT_TRUE(put(2, 2));
    reopen();
    EXPECT_EQ(readable(1, 3), 3u);
    close();
    index = std::make_unique<storage::MemoryStore>(real.world);
    open();
    EXPECT_EQ(readable(1, 3), 3u);
}

TEST_F(SegmentStoreTest, sweeping_everything_and_compacting_returns_the_space) {
    open();
    ASSERT_TRUE(put(1, 200));
    const auto full = folder.segment_bytes();
    const auto removed =
        sweep_all(store->next_sequence(), [](BytesView) -> Result<bool> { return false; });
    EXPECT_EQ(removed.size(), 200u);
    const auto freed = real.run(store->compact());
    ASSERT_TRUE(freed) << freed.error().text;
    EXPECT_EQ(freed.value(), full);
    EXPECT_EQ(folder.segment_bytes(), 0u);
    EXPECT_EQ(store->stat().disk_bytes, 0u);
    EXPECT_EQ(store->stat().blocks, 0u);
    reopen();
    EXPECT_FALSE(store->rebuilt());
    ASSERT_TRUE(put(1, 50));
    reopen();
    EXPECT_FALSE(store->rebuilt());
    EXPECT_EQ(readable(1, 50), 50u);
}

TEST_F(SegmentStoreTest, compacting_moves_what_is_live_and_keeps_it_through_a_rebuild) {
    open();
    ASSERT_TRUE(put(1, 200));
    std::set<Bytes> wanted;
    for (std::uint64_t i = 1; i <= 200; i += 10) wanted.emplace(make_block(i).cid.multihash());
    sweep_all(store->next_sequence(), [&](BytesView multihash) -> Result<bool> {
        return wanted.contains(Bytes(multihash));
    });
    ASSERT_TRUE(real.run(store->compact()));
    EXPECT_LT(folder.segment_bytes(), 50'000u);
    EXPECT_EQ(store->stat().blocks, 20u);
    for (int round = 0; round < 2; ++round) {
        std::uint64_t good = 0;
        for (std::uint64_t i = 1; i <= 200; i += 10) good += readable(i, 1);
        EXPECT_EQ(good, 20u);
        EXPECT_EQ(listed(), 20u);
        close();
        index = std::make_unique<storage::MemoryStore>(real.world);
        open();
    }
}

TEST_F(SegmentStoreTest, refuses_blocks_beyond_storage_max_by_name_and_takes_them_again_after_gc) {
    auto small = options();
    small.storage_max = 50'000;
    auto opened = real.run(SegmentStore::open(real.world, *index, small));
    ASSERT_TRUE(opened);
    store = std::move(opened).value();
    ASSERT_TRUE(put(1, 40));
    auto refused = put(100, 20);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Kind::disk_full);
    EXPECT_NE(refused.error().text.find("disk full on peer-1"), std::string::npos);
    EXPECT_EQ(readable(1, 40), 40u);
    sweep_all(store->next_sequence(), [](BytesView) -> Result<bool> { return false; });
    ASSERT_TRUE(real.run(store->compact()));
    EXPECT_TRUE(put(100, 20));
    EXPECT_EQ(readable(100, 20), 20u);
}

TEST_F(SegmentStoreTest, a_reserve_larger_than_the_disk_refuses_every_write) {
    auto strict = options();
    strict.reserve = 1ull << 60;
    auto opened = real.run(SegmentStore::open(real.world, *index, strict));
    ASSERT_TRUE(opened);
    store = std::move(opened).value();
    auto refused = put(1, 1);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Kind::disk_full);
    EXPECT_NE(refused.error().text.find("reserve"), std::string::npos);
}

TEST_F(SegmentStoreTest, too_large_a_block_is_refused) {
    open();
    auto refused = put(1, 1, dag::kBlockBytesMax + 1);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Kind::invalid);
}

}  // namespace
}  // namespace ipfscluster::blockstore
