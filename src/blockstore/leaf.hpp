#pragma once
#include <optional>

#include "multi/cid.hpp"

namespace ipfscluster::blockstore {

/// As many first bytes of a block as `surely_leaf` needs.
inline constexpr std::size_t kLeafPrefixBytes = 16;

/// True when a block of `block_bytes` bytes that starts with `prefix` cannot have links, so that a
/// walk need not read the rest: raw blocks, and dag-pb nodes that are all Data. False means "look".
bool surely_leaf(const Cid& cid, BytesView prefix, std::size_t block_bytes);

/// The data of a CID that carries it inside (identity hash); such blocks are never stored or
/// fetched.
std::optional<Bytes> inlined_data(const Cid& cid);

}  // namespace ipfscluster::blockstore
