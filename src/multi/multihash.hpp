#pragma once
#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace ipfscluster {

/// Multihash function codes (multiformats table).
enum class HashCode : std::uint64_t {
    identity = 0x00,
    sha1 = 0x11,
    sha2_256 = 0x12,
    sha2_512 = 0x13,
    sha3_512 = 0x14,
    sha3_256 = 0x16,
    murmur3_x64_64 = 0x22,
    blake2b_256 = 0xb220,
};

/// The code of a name as Kubo's `--hash` takes it ("sha2-256"); `invalid` when unknown.
Result<HashCode> parse_hash_name(std::string_view name);
std::string_view hash_name(HashCode code);

/// Longest digest accepted in a multihash from outside.
inline constexpr std::size_t kDigestBytesMax = 128;

/// varint code ‖ varint length ‖ digest of `data`. `unsupported` for a function we cannot compute
/// (we compute identity, sha1, sha2-256, sha2-512, sha3-256, sha3-512, blake2b-256).
Result<Bytes> multihash_digest(HashCode code, BytesView data);

struct MultihashParts {
    std::uint64_t code;
    BytesView digest;  ///< points into the input
};
/// Splits one whole multihash; `invalid` if bytes are missing or left over.
Result<MultihashParts> parse_multihash(BytesView bytes);

}  // namespace ipfscluster
