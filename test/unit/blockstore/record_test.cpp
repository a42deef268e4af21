#include "blockstore/record.hpp"

#include <gtest/gtest.h>

#include "blockstore/crc32c.hpp"

namespace ipfscluster::blockstore {
namespace {

TEST(Crc32c, gives_the_published_values) {
    // RFC 3720 B.4.
    EXPECT_EQ(crc32c(Bytes(32, '\0')), 0x8a9136aaU);
    EXPECT_EQ(crc32c(Bytes(32, '\xff')), 0x62a8ab43U);
    EXPECT_EQ(crc32c("123456789"), 0xe3069283U);
}

TEST(Crc32c, is_the_same_with_and_without_the_instruction_and_in_pieces) {
    Bytes data;
    for (int i = 0; i < 1000; ++i) {
        data.push_back(static_cast<char>(i * 7));
        ASSERT_EQ(crc32c(data), crc32c_portable(data));
    }
    EXPECT_EQ(crc32c(data.substr(333), crc32c(data.substr(0, 333))), crc32c(data));
}

TEST(Record, reads_back_what_was_appended) {
    Bytes log;
    append_record(log, "hash-one", "data one");
    append_record(log, "h2", "");
    RecordView record;
    ASSERT_EQ(read_record(log, record), RecordState::good);
    EXPECT_EQ(record.multihash, "hash-one");
    EXPECT_EQ(record.data, "data one");
    ASSERT_EQ(read_record(BytesView(log).substr(record.bytes), record), RecordState::good);
    EXPECT_EQ(record.multihash, "h2");
    EXPECT_EQ(record.data, "");
}

TEST(Record, every_cut_and_every_changed_byte_is_noticed) {
    Bytes log;
    append_record(log, "some-hash", "some data");
    RecordView record;
    for (std::size_t bytes = 0; bytes < log.size(); ++bytes)
        EXPECT_EQ(read_record(BytesView(log).substr(0, bytes), record), RecordState::cut) << bytes;
    for (std::size_t i = 0; i < log.size(); ++i) {
        Bytes bad = log;
        bad[i] = static_cast<char>(bad[i] ^ 0x10);
        EXPECT_NE(read_record(bad, record), RecordState::good) << i;
    }
}

TEST(SegmentHeader, tells_other_files_and_newer_formats_apart) {
    Bytes header = encode_segment_header();
    ASSERT_EQ(header.size(), kSegmentHeaderBytes);
    EXPECT_TRUE(check_segment_header(header));
    EXPECT_EQ(check_segment_header("short").error().kind, Kind::corrupt);
    EXPECT_EQ(check_segment_header(Bytes(16, 'x')).error().kind, Kind::corrupt);
    header[11] = 2;
    EXPECT_EQ(check_segment_header(header).error().kind, Kind::unsupported);
}

}  // namespace
}  // namespace ipfscluster::blockstore
