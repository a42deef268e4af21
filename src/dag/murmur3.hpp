#pragma once
#include <cstdint>

#include "base/bytes.hpp"

namespace ipfscluster::dag {

/// The first 64 bits of MurmurHash3 x64-128 with seed 0 (multihash murmur3-x64-64): what places a
/// name in a HAMT directory, most significant byte first. Not for anything that must resist an
/// adversary.
std::uint64_t murmur3_x64_64(BytesView data);

}  // namespace ipfscluster::dag
