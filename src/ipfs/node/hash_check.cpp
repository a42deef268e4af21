#include "ipfs/node/hash_check.hpp"

#include <fmt/format.h>

#include <array>

namespace ipfscluster::node {
namespace {

struct NamedHash {
    std::uint64_t code;
    std::string_view name;
};
/// Functions that content of others is named by and that we do not compute (multiformats table).
constexpr std::array kForeignHashes{
    NamedHash{0x15, "sha3-384"},   NamedHash{0x17, "sha3-224"},     NamedHash{0x18, "shake-128"},
    NamedHash{0x19, "shake-256"},  NamedHash{0x1a, "keccak-224"},   NamedHash{0x1b, "keccak-256"},
    NamedHash{0x1c, "keccak-384"}, NamedHash{0x1d, "keccak-512"},   NamedHash{0x1e, "blake3"},
    NamedHash{0x20, "sha2-384"},   NamedHash{0x56, "dbl-sha2-256"}, NamedHash{0xd5, "md5"},
    NamedHash{0x1013, "sha2-224"}, NamedHash{0x1053, "ripemd-160"},
};
constexpr std::uint64_t kBlake2bFirst = 0xb201, kBlake2bLast = 0xb240;  // by digest bytes
constexpr std::uint64_t kBlake2sFirst = 0xb241, kBlake2sLast = 0xb260;

std::string name_of(std::uint64_t code) {
    for (const auto& known : kForeignHashes)
        if (known.code == code) return std::string(known.name);
    if (code >= kBlake2bFirst && code <= kBlake2bLast)
        return fmt::format("blake2b-{}", (code - kBlake2bFirst + 1) * 8);
    if (code >= kBlake2sFirst && code <= kBlake2sLast)
        return fmt::format("blake2s-{}", (code - kBlake2sFirst + 1) * 8);
    return std::string(hash_name(static_cast<HashCode>(code)));
}

}  // namespace

Result<> check_hash(const Cid& cid) {
    ICL_TRY(const auto parts, parse_multihash(cid.multihash()));
    const auto code = static_cast<HashCode>(parts.code);
    if (code == HashCode::identity) return ok();
    const auto sample = multihash_digest(code, {});
    if (!sample)
        return fail(
            Kind::unsupported,
            fmt::format("block {} cannot be checked: this program does not compute the hash "
                        "function {} (0x{:x})",
                        cid.to_string(), name_of(parts.code), parts.code));
    if (sample.value().size() != cid.multihash().size())
        return fail(Kind::unsupported,
                    fmt::format("block {} cannot be checked: its {} digest has {} bytes",
                                cid.to_string(), name_of(parts.code), parts.digest.size()));
    return ok();
}

}  // namespace ipfscluster::node
