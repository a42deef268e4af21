#pragma once
#include <cstdint>
#include <optional>

#include "multi/cid.hpp"

namespace ipfscluster::bench {

/// Seeds and indexes of the made-up content.
inline constexpr std::uint64_t kSeedMax = (1U << 20) - 1;
inline constexpr std::uint64_t kIndexMax = (1ULL << 44) - 1;

struct BenchItem {
    std::uint64_t seed = 0;
    std::uint64_t index = 0;
    friend bool operator==(const BenchItem&, const BenchItem&) = default;
};

/// The raw version 1 CID of made-up content number `index` of `seed`: distinct for each pair, and
/// spread over the key space like real hashes. Both are cut to their largest value.
Cid bench_cid(BenchItem item);

/// Which item a CID was made from; nothing for other CIDs. So a stub daemon keeps one bit per pin.
std::optional<BenchItem> bench_item(const Cid& cid);

/// The step of SplitMix64: a bijection of 64 bits, used for cheap repeatable choices.
std::uint64_t mix64(std::uint64_t value);

}  // namespace ipfscluster::bench
