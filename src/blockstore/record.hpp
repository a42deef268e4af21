#pragma once
#include <compare>
#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "dag/block.hpp"

namespace ipfscluster::blockstore {

/// A segment file starts with this header (docs/formats.md): "ICLBLKS1", format version as be32, 4
/// zero bytes.
inline constexpr std::size_t kSegmentHeaderBytes = 16;
inline constexpr std::uint32_t kSegmentFormat = 1;
/// Data length be32 ‖ multihash length u8 ‖ CRC-32C be32 over the five bytes before it, multihash
/// and data ‖ multihash ‖ data.
inline constexpr std::size_t kRecordHeaderBytes = 9;
inline constexpr std::size_t kRecordHashBytesMax = 160;
inline constexpr std::size_t kRecordBytesMax =
    kRecordHeaderBytes + kRecordHashBytesMax + dag::kBlockBytesMax;

/// A place in the log of all segments; grows with every record.
struct Position {
    std::uint32_t segment = 0;
    std::uint64_t offset = 0;
    friend auto operator<=>(const Position&, const Position&) = default;
};

inline std::uint64_t record_bytes(std::size_t hash_bytes, std::size_t data_bytes) {
    return kRecordHeaderBytes + hash_bytes + data_bytes;
}

Bytes encode_segment_header();
/// `corrupt` for another magic, `unsupported` for a newer format.
Result<> check_segment_header(BytesView header);

void append_record(Bytes& out, BytesView multihash, BytesView data);

/// A record found in a piece of a segment; views into the piece.
struct RecordView {
    BytesView multihash;
    BytesView data;
    std::size_t bytes = 0;  ///< of the whole record
};
enum class RecordState {
    good,
    cut,     ///< the piece ends inside it
    damaged  ///< lengths that cannot be, or a checksum that does not match
};
/// Reads the record at the front of `in`. For `damaged` with believable lengths `out.bytes` says
/// where the next one would start, else it is 0.
RecordState read_record(BytesView in, RecordView& out);

}  // namespace ipfscluster::blockstore
