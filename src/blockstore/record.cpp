#include "blockstore/record.hpp"

#include "base/assert.hpp"
#include "blockstore/crc32c.hpp"

namespace ipfscluster::blockstore {
namespace {
constexpr BytesView kMagic = "ICLBLKS1";

std::uint32_t record_crc(BytesView lengths, BytesView multihash, BytesView data) {
    return crc32c(data, crc32c(multihash, crc32c(lengths)));
}
}  // namespace

Bytes encode_segment_header() {
    Bytes out(kMagic);
    put_be32(out, kSegmentFormat);
    put_be32(out, 0);
    return out;
}

Result<> check_segment_header(BytesView header) {
    if (header.size() < kSegmentHeaderBytes || header.substr(0, kMagic.size()) != kMagic)
        return fail(Kind::corrupt, "not a block segment");
    const auto format = get_be32(header.substr(kMagic.size()));
    if (format > kSegmentFormat)
        return fail(Kind::unsupported, "block segment format " + std::to_string(format) +
                                           " is newer than this program's " +
                                           std::to_string(kSegmentFormat));
    return ok();
}

void append_record(Bytes& out, BytesView multihash, BytesView data) {
    ICL_ASSERT(multihash.size() <= kRecordHashBytesMax, "multihash too long for a record");
    ICL_ASSERT(data.size() <= dag::kBlockBytesMax, "block too large for a record");
    Bytes lengths;
    put_be32(lengths, static_cast<std::uint32_t>(data.size()));
    lengths.push_back(static_cast<char>(multihash.size()));
    const auto crc = record_crc(lengths, multihash, data);
    out += lengths;
    put_be32(out, crc);
    out += multihash;
    out += data;
}

RecordState read_record(BytesView in, RecordView& out) {
    out = {};
    if (in.size() < kRecordHeaderBytes) return RecordState::cut;
    const std::size_t data_bytes = get_be32(in);
    const std::size_t hash_bytes = static_cast<std::uint8_t>(in[4]);
    if (data_bytes > dag::kBlockBytesMax || hash_bytes == 0 || hash_bytes > kRecordHashBytesMax)
        return RecordState::damaged;
    const std::size_t bytes = record_bytes(hash_bytes, data_bytes);
    if (in.size() < bytes) return RecordState::cut;
    out.bytes = bytes;
    out.multihash = in.substr(kRecordHeaderBytes, hash_bytes);
    out.data = in.substr(kRecordHeaderBytes + hash_bytes, data_bytes);
    if (get_be32(in.substr(5)) != record_crc(in.substr(0, 5), out.multihash, out.data))
        return RecordState::damaged;
    return RecordState::good;
}

}  // namespace ipfscluster::blockstore
