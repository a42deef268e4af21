#pragma once
#include "ipfs/rpc/call.hpp"

namespace ipfscluster::ipfs_rpc {

/// Largest block made without --allow-big-block: what bitswap carries between any two nodes.
inline constexpr std::size_t kSoftBlockBytesMax = 2u << 20;

/// The code of a codec's name ("dag-cbor"); `invalid` for one we do not know.
Result<std::uint64_t> codec_code(std::string_view name);

/// `invalid` when a block is too large for the call's options.
Result<> check_block_size(const Call& call, std::size_t bytes);

/// Stores one block durably, whose CID was computed here; pinned recursively on demand.
Async<> store_block(Call& call, Cid cid, Bytes data, bool pin);

}  // namespace ipfscluster::ipfs_rpc
