#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "blockstore/segment_file.hpp"
#include "multi/multihash.hpp"
#include "support/temp_folder.hpp"

namespace ipfscluster::blockstore {
namespace {

/// One segment that is laid out byte by byte.
class SegmentScanTest : public ::testing::Test {
 protected:
    struct Outcome {
        std::vector<Bytes> found;  ///< data of the records, in order
        std::uint64_t damaged = 0;
        std::uint64_t good_end = 0;
        std::uint64_t tail_bytes = 0;
    };

    static Bytes name(BytesView data) { return multihash_digest(HashCode::sha2_256, data).value(); }
    /// Printable bytes, which hold nothing that looks like a record.
    static Bytes text(std::uint32_t number, std::size_t bytes) {
        std::mt19937 random(number);
        Bytes out;
        while (out.size() < bytes) out.push_back(static_cast<char>('a' + random() % 26));
        return out;
    }
    std::uint64_t end() const { return segment.size(); }
    void add(BytesView data) { append_record(segment, name(data), data); }
    Outcome scan() const {
        std::ofstream(segment_path(folder.path(), 1), std::ios::binary | std::ios::trunc)
            << segment;
        const auto file = SegmentFile::open(folder.path(), 1, false).value();
        Outcome out;
        ScanPlace place{kSegmentHeaderBytes, kSegmentHeaderBytes};
        for (std::size_t steps = 0;; ++steps) {
            EXPECT_LE(steps, 2 + segment.size() / kRecordBytesMax) << "each step must get on";
            auto step = scan_segment(*file, place, true).value();
            for (auto& record : step.records) out.found.push_back(std::move(record.data));
            out.damaged += step.damaged;
            place = step.next;
            out.good_end = place.good_end;
            out.tail_bytes = step.tail_bytes;
            if (step.end || steps > segment.size()) return out;
        }
    }

    test::TempFolder folder;
    Bytes segment = encode_segment_header();
};

TEST_F(SegmentScanTest, any_damaged_byte_of_a_record_hides_that_record_only) {
    const std::vector<Bytes> blocks = {text(1, 40), text(2, 0), text(3, 300), text(4, 40)};
    std::vector<std::uint64_t> begins;
    for (const auto& block : blocks) {
        begins.push_back(end());
        add(block);
    }
    const auto whole = segment;
    for (std::size_t n = 0; n + 1 < blocks.size(); ++n) {
        auto others = blocks;
        others.erase(others.begin() + static_cast<std::ptrdiff_t>(n));
        for (auto at = begins[n]; at < begins[n + 1]; ++at) {
            for (const char flip : {'\x01', '\x7f', '\x80'}) {
                segment = whole;
                segment[at] = static_cast<char>(segment[at] ^ flip);
                const auto out = scan();
                EXPECT_EQ(out.found, others) << at;
                EXPECT_EQ(out.damaged, 1u) << at;
                EXPECT_EQ(out.good_end, end()) << at;
                EXPECT_EQ(out.tail_bytes, 0u) << at;
            }
        }
    }
}

TEST_F(SegmentScanTest, a_stretch_longer_than_any_step_is_passed_over) {
    for (const bool zeros : {true, false}) {
        segment = encode_segment_header();
        const Bytes before = text(1, 1000);
        const Bytes after = text(2, dag::kBlockBytesMax);
        add(before);
        const std::size_t bytes = 2 * kScanBytesMax + 4711;
        std::mt19937_64 random(7);
        for (std::size_t i = 0; i < bytes; ++i)
            segment.push_back(zeros ? '\0' : static_cast<char>(random()));
        add(after);
        add(before);
        const auto out = scan();
        EXPECT_TRUE(out.found == (std::vector<Bytes>{before, after, before})) << zeros;
        EXPECT_EQ(out.damaged, 1u);
        EXPECT_EQ(out.good_end, end());
    }
}

TEST_F(SegmentScanTest, a_false_record_in_a_damaged_block_is_not_taken) {
    const Bytes victim = text(1, 200);
    Bytes evil = "innocent ";
    for (int i = 0; i < 3; ++i) append_record(evil, name(victim), text(9, 100));
    const auto begin = end();
    add(evil);
    add(victim);
    segment[begin] = '\x7f';
    const auto out = scan();
    EXPECT_EQ(out.found, std::vector<Bytes>{victim});
    EXPECT_EQ(out.good_end, end());
}

TEST_F(SegmentScanTest, what_was_begun_last_is_a_tail_and_no_damage) {
    add(text(1, 100));
    const auto good_end = end();
    for (const BytesView tail :
         {BytesView("\x7f\x00\x00\x01\x22garbage", 12), BytesView("\0\0\0", 3)}) {
        segment.resize(good_end);
        segment += tail;
        const auto out = scan();
        EXPECT_EQ(out.found.size(), 1u);
        EXPECT_EQ(out.damaged, 0u);
        EXPECT_EQ(out.good_end, good_end);
        EXPECT_EQ(out.tail_bytes, tail.size());
    }
}

TEST_F(SegmentScanTest, false_beginnings_by_the_thousand_end_the_search) {
    Bytes header;
    put_be32(header, dag::kBlockBytesMax - 1);
    header += Bytes("\x03....\x12\x01x", 8);
    segment += '\x7f';
    while (segment.size() < 2 * kScanBytesMax) segment += header;
    const auto false_end = end();
    add(text(1, 100));
    const auto out = scan();
    EXPECT_TRUE(out.found.empty());
    EXPECT_EQ(out.good_end, kSegmentHeaderBytes);
    EXPECT_GT(out.tail_bytes, false_end - kSegmentHeaderBytes);
}

}  // namespace
}  // namespace ipfscluster::blockstore
