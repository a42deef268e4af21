#include "blockstore/rows.hpp"

namespace ipfscluster::blockstore {
namespace {
constexpr std::uint32_t kIndexFormat = 1;
constexpr std::size_t kBlockRowBytes = 4 + 8 + 4 + 8;
constexpr std::size_t kLogStateBytes = 4 + 4 + 8 + 8 + 8 + 8;
}  // namespace

Bytes encode_block_row(const BlockRow& row) {
    Bytes out;
    out.reserve(kBlockRowBytes);
    put_be32(out, row.at.segment);
    put_be64(out, row.at.offset);
    put_be32(out, row.data_bytes);
    put_be64(out, row.sequence);
    return out;
}

Result<BlockRow> decode_block_row(BytesView bytes) {
    if (bytes.size() != kBlockRowBytes)
        return fail(Kind::corrupt, "block index row of a wrong length");
    BlockRow row;
    row.at.segment = get_be32(bytes);
    row.at.offset = get_be64(bytes.substr(4));
    row.data_bytes = get_be32(bytes.substr(12));
    row.sequence = get_be64(bytes.substr(16));
    return row;
}

Bytes encode_log_state(const LogState& state) {
    Bytes out;
    put_be32(out, kIndexFormat);
    put_be32(out, state.end.segment);
    put_be64(out, state.end.offset);
    put_be64(out, state.sequence);
    put_be64(out, state.blocks);
    put_be64(out, state.data_bytes);
    return out;
}

Result<LogState> decode_log_state(BytesView bytes) {
    if (bytes.size() < 4) return fail(Kind::corrupt, "block index state is too short");
    if (const auto format = get_be32(bytes); format != kIndexFormat)
        return fail(Kind::unsupported, "block index format " + std::to_string(format) +
                                           " is not this program's " +
                                           std::to_string(kIndexFormat));
    if (bytes.size() != kLogStateBytes)
        return fail(Kind::corrupt, "block index state of a wrong length");
    LogState state;
    state.end.segment = get_be32(bytes.substr(4));
    state.end.offset = get_be64(bytes.substr(8));
    state.sequence = get_be64(bytes.substr(16));
    state.blocks = get_be64(bytes.substr(24));
    state.data_bytes = get_be64(bytes.substr(32));
    return state;
}

}  // namespace ipfscluster::blockstore
