#include "multi/multihash.hpp"

#include <openssl/evp.h>
#include <sodium.h>

#include <array>
#include <utility>

#include "base/assert.hpp"
#include "base/varint.hpp"

namespace ipfscluster {
namespace {

constexpr std::array<std::pair<HashCode, std::string_view>, 8> kNames{{
    {HashCode::identity, "identity"},
    {HashCode::sha1, "sha1"},
    {HashCode::sha2_256, "sha2-256"},
    {HashCode::sha2_512, "sha2-512"},
    {HashCode::sha3_512, "sha3-512"},
    {HashCode::sha3_256, "sha3-256"},
    {HashCode::murmur3_x64_64, "murmur3-x64-64"},
    {HashCode::blake2b_256, "blake2b-256"},
}};

/// OpenSSL's algorithm, looked up once: an implicit lookup per digest costs more than a small
/// block.
const EVP_MD* openssl_digest(HashCode code) {
    static const EVP_MD* const sha1 = EVP_MD_fetch(nullptr, "SHA1", nullptr);
    static const EVP_MD* const sha2_256 = EVP_MD_fetch(nullptr, "SHA2-256", nullptr);
    static const EVP_MD* const sha2_512 = EVP_MD_fetch(nullptr, "SHA2-512", nullptr);
    static const EVP_MD* const sha3_256 = EVP_MD_fetch(nullptr, "SHA3-256", nullptr);
    static const EVP_MD* const sha3_512 = EVP_MD_fetch(nullptr, "SHA3-512", nullptr);
    switch (code) {
        case HashCode::sha1:
            return sha1;
        case HashCode::sha2_256:
            return sha2_256;
        case HashCode::sha2_512:
            return sha2_512;
        case HashCode::sha3_256:
            return sha3_256;
        case HashCode::sha3_512:
            return sha3_512;
        default:
            return nullptr;
    }
}

Bytes with_prefix(HashCode code, BytesView digest) {
    Bytes out;
    out.reserve(digest.size() + 4);
    put_uvarint(out, static_cast<std::uint64_t>(code));
    put_uvarint(out, digest.size());
    out.append(digest);
    return out;
}

BytesView view(const unsigned char* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

}  // namespace

Result<HashCode> parse_hash_name(std::string_view name) {
    for (const auto& [code, text] : kNames)
        if (text == name) return code;
    return fail(Kind::invalid, "unknown hash function \"" + std::string(name.substr(0, 64)) + "\"");
}

std::string_view hash_name(HashCode code) {
    for (const auto& [known, text] : kNames)
        if (known == code) return text;
    return "unknown";
}

Result<Bytes> multihash_digest(HashCode code, BytesView data) {
    if (code == HashCode::identity) {
        if (data.size() > kDigestBytesMax)
            return fail(Kind::invalid, "too much data for an identity multihash");
        return with_prefix(code, data);
    }
    if (code == HashCode::blake2b_256) {
        std::array<unsigned char, 32> digest;
        crypto_generichash(digest.data(), digest.size(), as_uchar(data), data.size(), nullptr, 0);
        return with_prefix(code, view(digest.data(), digest.size()));
    }
    const EVP_MD* algorithm = openssl_digest(code);
    if (algorithm == nullptr)
        return fail(Kind::unsupported,
                    "cannot compute the hash function " + std::string(hash_name(code)));
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
    unsigned size = 0;
    const int done = EVP_Digest(data.data(), data.size(), digest.data(), &size, algorithm, nullptr);
    ICL_ASSERT(done == 1, "EVP_Digest failed");
    return with_prefix(code, view(digest.data(), size));
}

Result<MultihashParts> parse_multihash(BytesView bytes) {
    BytesView rest = bytes;
    const auto code = take_minimal_uvarint(rest);
    if (!code) return fail(Kind::invalid, "multihash: bad function code");
    const auto size = take_minimal_uvarint(rest);
    if (!size) return fail(Kind::invalid, "multihash: bad length");
    if (size.value() > kDigestBytesMax) return fail(Kind::invalid, "multihash: digest too long");
    if (rest.size() != size.value())
        return fail(Kind::invalid, rest.size() < size.value() ? "multihash: digest cut off"
                                                              : "multihash: bytes left over");
    return MultihashParts{code.value(), rest};
}

}  // namespace ipfscluster
