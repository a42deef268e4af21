#include "bench_cid.hpp"

namespace ipfscluster::bench {
namespace {

/// sha2-256 with 32 bytes, in front of the made-up digest.
constexpr std::string_view kMultihashHead("\x12\x20", 2);
constexpr int kIndexBits = 44;

std::uint64_t unmix64(std::uint64_t v) {
    // The inverse of mix64, step by step; the factors are the inverses modulo 2^64.
    v = (v ^ v >> 31 ^ v >> 62) * 0x319642b2d24d8ec3ULL;
    v = (v ^ v >> 27 ^ v >> 54) * 0x96de1b173f119089ULL;
    return (v ^ v >> 30 ^ v >> 60) - 0x9e3779b97f4a7c15ULL;
}

Bytes digest_of(std::uint64_t first) {
    Bytes out(kMultihashHead);
    for (std::uint64_t word = first; out.size() < kMultihashHead.size() + 32; word = mix64(word))
        put_be64(out, word);
    return out;
}

}  // namespace

std::uint64_t mix64(std::uint64_t v) {
    v += 0x9e3779b97f4a7c15ULL;
    v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9ULL;
    v = (v ^ v >> 27) * 0x94d049bb133111ebULL;
    return v ^ v >> 31;
}

Cid bench_cid(BenchItem item) {
    const auto packed = (item.seed & kSeedMax) << kIndexBits | (item.index & kIndexMax);
    return Cid::v1(Codec::raw, digest_of(mix64(packed)));
}

std::optional<BenchItem> bench_item(const Cid& cid) {
    if (!cid.defined() || cid.version() != 1) return std::nullopt;
    const auto hash = cid.multihash();
    if (hash.size() != kMultihashHead.size() + 32 || !hash.starts_with(kMultihashHead))
        return std::nullopt;
    const auto first = get_be64(hash.substr(kMultihashHead.size()));
    if (hash != digest_of(first)) return std::nullopt;
    const auto packed = unmix64(first);
    return BenchItem{packed >> kIndexBits, packed & kIndexMax};
}

}  // namespace ipfscluster::bench
