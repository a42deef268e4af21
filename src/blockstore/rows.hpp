#pragma once
#include <optional>

#include "blockstore/record.hpp"
#include "multi/cid.hpp"
#include "storage/store.hpp"

namespace ipfscluster::blockstore {

/// All rows of the node live in this family, told apart by their first byte (docs/formats.md).
inline constexpr auto kFamily = storage::Family::blocks;
inline constexpr char kBlockRows = 'b';  ///< multihash → BlockRow
inline constexpr char kLeaseRows = 'l';  ///< id → lease
inline constexpr char kMarkRows = 'm';   ///< multihash → depth it was followed down to
inline constexpr char kPinRows = 'p';    ///< CID → pin record
inline constexpr char kStateRows = 's';  ///< name → store state
inline constexpr char kWalkRows = 'w';   ///< walk id, kind, key → walk state

inline Bytes row_key(char kind, BytesView rest) {
    Bytes key(1, kind);
    key += rest;
    return key;
}

/// Where a block lies and when it was last written or touched.
struct BlockRow {
    Position at;
    std::uint32_t data_bytes = 0;
    std::uint64_t sequence = 0;
};
/// segment be32 ‖ offset be64 ‖ data length be32 ‖ sequence be64.
Bytes encode_block_row(const BlockRow& row);
Result<BlockRow> decode_block_row(BytesView bytes);

/// What the index knows of the log: everything before `end` has its rows.
struct LogState {
    Position end;
    std::uint64_t sequence = 1;
    std::uint64_t blocks = 0;
    std::uint64_t data_bytes = 0;
};
Bytes encode_log_state(const LogState& state);
Result<LogState> decode_log_state(BytesView bytes);

}  // namespace ipfscluster::blockstore
