#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "dag/dag_pb.hpp"
#include "dag/unixfs.hpp"

namespace ipfscluster::dag {

/// Levels of a HAMT of fanout 256: each takes one byte of the 64 bit hash.
inline constexpr std::size_t kHamtDepthMax = 8;
/// Widest fanout accepted when reading (Kubo's bound).
inline constexpr std::uint64_t kHamtFanoutMax = 1024;

/// "00" … "FF": the prefix of the link for slot `index` under a fanout of 256.
std::string hamt_prefix(std::size_t index);

/// A decoded shard, checked: its fanout is a power of two, its hash murmur3, every link has a
/// prefix.
struct HamtShard {
    std::uint64_t fanout = kHamtFanoutMax;
    std::size_t prefix_size = 0;  ///< hexadecimal digits before each name
    int bits = 0;                 ///< of the hash each level takes
    std::vector<PbLink> links;

    /// The part of the hash that chooses a slot at this depth, as its link prefix; `corrupt` when
    /// the hash has no bits left.
    Result<std::string> slot_prefix(std::uint64_t hash, std::size_t bits_used) const;
};
Result<HamtShard> to_hamt_shard(PbNode node, const UnixfsData& message);

}  // namespace ipfscluster::dag
