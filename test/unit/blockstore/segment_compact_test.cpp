#include <fstream>

#include "segment_fixture.hpp"

namespace ipfscluster::blockstore {
namespace {

constexpr auto kRecord = kRecordHeaderBytes + 34 + 1000;  // of one block of the fixture
constexpr auto kTenth = kSegmentHeaderBytes + 9 * kRecord;

class SegmentCompactTest : public SegmentStoreTest {
 protected:
    SegmentCompactTest() { segment_bytes = kSegmentHeaderBytes + 19 * kRecord; }  // ends full

    std::string segment(std::uint32_t number) const { return segment_path(folder.path(), number); }
    /// Sweeps all blocks in [1, count] but those `wanted` names.
    void sweep_but(std::uint64_t count, const std::function<bool(std::uint64_t)>& wanted) {
        std::set<Bytes> kept;
        for (std::uint64_t i = 1; i <= count; ++i)
            if (wanted(i)) kept.emplace(make_block(i).cid.multihash());
        sweep_all(store->next_sequence(), [&kept](BytesView multihash) -> Result<bool> {
            return kept.contains(Bytes(multihash));
        });
    }
    std::uint64_t compact() {
        auto freed = real.run(store->compact());
        EXPECT_TRUE(freed) << (freed ? "" : freed.error().text);
        return freed ? freed.value() : 0;
    }
    /// All of it can be given back although nothing was appended since the store was opened.
    void expect_space_returns() {
        sweep_but(1000, [](std::uint64_t) { return false; });
        EXPECT_GT(compact(), 0u);
        EXPECT_LE(folder.segment_bytes(), kSegmentHeaderBytes);
        ASSERT_TRUE(put(1, 40));
        reopen();
        EXPECT_EQ(readable(1, 40), 40u);
    }
};

TEST_F(SegmentCompactTest, space_returns_after_a_restart_behind_a_full_segment) {
    open();
    ASSERT_TRUE(put(1, 3 * 19));
    EXPECT_EQ(std::filesystem::file_size(segment(3)), segment_bytes);
    reopen();
    expect_space_returns();
}

TEST_F(SegmentCompactTest, space_returns_after_a_restart_behind_a_segment_with_only_a_header) {
    open();
    ASSERT_TRUE(put(1, 19));
    close();
    std::ofstream(segment(2), std::ios::binary) << encode_segment_header();
    open();
    expect_space_returns();
}

TEST_F(SegmentCompactTest, space_returns_after_a_restart_behind_a_segment_that_was_cut_short) {
    open();
    ASSERT_TRUE(put(1, 10));
    close();
    std::ofstream(segment(2), std::ios::binary) << "ICL";
    open();
    expect_space_returns();
}

TEST_F(SegmentCompactTest, space_returns_after_a_restart_behind_a_segment_that_was_removed) {
    open();
    ASSERT_TRUE(put(1, 25));
    sweep_but(25, [](std::uint64_t i) { return i <= 19; });
    EXPECT_GT(compact(), 0u);
    EXPECT_EQ(newest_segment(), segment(1));
    reopen();
    EXPECT_EQ(readable(1, 19), 19u);
    expect_space_returns();
}

TEST_F(SegmentCompactTest, live_blocks_behind_damaged_lengths_are_moved) {
    open();
    ASSERT_TRUE(put(1, 3 * 19));
    sweep_but(3 * 19, [](std::uint64_t i) { return i == 1 || i == 15 || i == 50; });
    overwrite(segment(1), kTenth, "\xff\xff\xff\xff");  // of the tenth record, which is garbage
    EXPECT_GT(compact(), 0u);
    for (const std::uint64_t i : {1, 15, 50}) EXPECT_EQ(readable(i, 1), 1u) << i;
    for (const std::uint32_t number : {1, 2, 3})
        EXPECT_FALSE(std::filesystem::exists(segment(number))) << number;
}

TEST_F(SegmentCompactTest, a_damaged_live_block_keeps_its_segment) {
    open();
    ASSERT_TRUE(put(1, 3 * 19));
    sweep_but(3 * 19, [](std::uint64_t i) { return i == 1 || i == 10 || i == 15 || i == 50; });
    overwrite(segment(1), kTenth, "\xff\xff\xff\xff");
    for (int round = 0; round < 2; ++round) {
        compact();
        for (const std::uint64_t i : {1, 15, 50}) EXPECT_EQ(readable(i, 1), 1u) << i;
        EXPECT_TRUE(std::filesystem::exists(segment(1)));
        EXPECT_FALSE(std::filesystem::exists(segment(2))) << "the others are rewritten";
        EXPECT_FALSE(std::filesystem::exists(segment(3)));
    }
    ASSERT_TRUE(store->forget(make_block(10).cid.multihash()));
    EXPECT_GT(compact(), 0u);
    EXPECT_FALSE(std::filesystem::exists(segment(1)));
    for (const std::uint64_t i : {1, 15, 50}) EXPECT_EQ(readable(i, 1), 1u) << i;
}

TEST_F(SegmentCompactTest, waste_in_mostly_live_segments_returns_once_the_store_is_full) {
    const auto wanted = [](std::uint64_t i) { return i % 3 != 0; };
    open();
    ASSERT_TRUE(put(1, 90));
    sweep_but(90, wanted);
    EXPECT_EQ(compact(), 0u) << "while there is room, rewriting is not worth it";
    close();

    auto small = options();
    small.storage_max = folder.segment_bytes() + 500;
    auto opened = real.run(SegmentStore::open(real.world, *index, small));
    ASSERT_TRUE(opened) << opened.error().text;
    store = std::move(opened).value();
    auto refused = put(100, 20);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Kind::disk_full);
    EXPECT_GE(compact(), 25 * kRecord);
    EXPECT_TRUE(put(100, 20));
    EXPECT_EQ(readable(100, 20), 20u);
    for (std::uint64_t i = 1; i <= 90; ++i) EXPECT_EQ(readable(i, 1), wanted(i) ? 1u : 0u) << i;
}

}  // namespace
}  // namespace ipfscluster::blockstore
