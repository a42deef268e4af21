#include "multi/cid.hpp"

#include <array>
#include <utility>

#include "base/assert.hpp"
#include "base/encoding.hpp"
#include "base/varint.hpp"
#include "multi/multibase.hpp"

namespace ipfscluster {
namespace {

/// A version 0 CID: 12 20 and 32 bytes.
constexpr std::size_t kV0Bytes = 34;
constexpr std::size_t kV0Text = 46;
/// Version, codec, hash code and length as varints, then the digest.
constexpr std::size_t kCidBytesMax = 4 * kVarintBytesMax + kDigestBytesMax;
/// The longest text form we read: base16 of the longest CID.
constexpr std::size_t kCidTextMax = 1 + 2 * kCidBytesMax;

constexpr std::array<std::pair<std::uint64_t, std::string_view>, 9> kCodecNames{{
    {0x50, "protobuf"},
    {0x51, "cbor"},
    {0x55, "raw"},
    {0x70, "dag-pb"},
    {0x71, "dag-cbor"},
    {0x72, "libp2p-key"},
    {0x78, "git-raw"},
    {0x0129, "dag-json"},
    {0x0200, "json"},
}};

bool starts_like_v0(BytesView bytes) {
    return bytes.size() >= 2 && bytes[0] == 0x12 && bytes[1] == 0x20;
}

/// Removes one number from `in`; the error names the part.
Result<std::uint64_t> take_part(BytesView& in, const char* part) {
    const auto value = take_minimal_uvarint(in);
    if (!value) return fail(Kind::invalid, std::string("CID: bad ") + part);
    return value.value();
}

}  // namespace

std::string codec_name(std::uint64_t codec) {
    for (const auto& [code, name] : kCodecNames)
        if (code == codec) return std::string(name);
    constexpr std::string_view digits = "0123456789abcdef";
    std::string hex;
    for (; codec != 0; codec >>= 4) hex.insert(hex.begin(), digits[codec & 15]);
    return "0x" + (hex.empty() ? "0" : hex);
}

Result<Cid> Cid::from_bytes(BytesView bytes) {
    BytesView rest = bytes;
    ICL_TRY(auto cid, take(rest));
    if (!rest.empty()) return fail(Kind::invalid, "CID: bytes left over");
    return cid;
}

Result<Cid> Cid::take(BytesView& in) {
    if (in.empty()) return fail(Kind::invalid, "CID: empty");
    BytesView rest = in;
    if (starts_like_v0(in)) {
        if (in.size() < kV0Bytes) return fail(Kind::invalid, "CID: cut off");
        rest.remove_prefix(kV0Bytes);
    } else {
        ICL_TRY(const auto version, take_part(rest, "version"));
        if (version != 1)
            return fail(Kind::invalid, "CID: unknown version " + std::to_string(version));
        ICL_TRY(take_part(rest, "codec"));
        ICL_TRY(take_part(rest, "hash code"));
        ICL_TRY(const auto size, take_part(rest, "digest length"));
        if (size > kDigestBytesMax) return fail(Kind::invalid, "CID: digest too long");
        if (size > rest.size()) return fail(Kind::invalid, "CID: cut off");
        rest.remove_prefix(size);
    }
    Cid cid(Bytes(in.substr(0, in.size() - rest.size())));
    in = rest;
    return cid;
}

Result<Cid> Cid::parse(std::string_view text) {
    if (text.size() < 2) return fail(Kind::invalid, "CID: too short");
    if (text.size() > kCidTextMax) return fail(Kind::invalid, "CID: too long");
    if (text.size() == kV0Text && text.substr(0, 2) == "Qm") {
        const auto bytes = base58_decode(text);
        if (!bytes) return fail(bytes.error().in("CID"));
        if (!starts_like_v0(bytes.value()) || bytes.value().size() != kV0Bytes)
            return fail(Kind::invalid, "CID: not a sha2-256 multihash");
        return Cid(bytes.value());
    }
    const auto bytes = multibase_decode(text);
    if (!bytes) return fail(bytes.error().in("CID"));
    if (starts_like_v0(bytes.value()))
        return fail(Kind::invalid, "CID: version 0 is written without a multibase prefix");
    return from_bytes(bytes.value());
}

Cid Cid::v0(BytesView sha256_multihash) {
    ICL_ASSERT(sha256_multihash.size() == kV0Bytes && starts_like_v0(sha256_multihash),
               "a version 0 CID needs a sha2-256 multihash");
    return Cid(Bytes(sha256_multihash));
}

Cid Cid::v1(std::uint64_t codec, BytesView multihash) {
    Bytes bytes;
    bytes.reserve(multihash.size() + 4);
    put_uvarint(bytes, 1);
    put_uvarint(bytes, codec);
    bytes.append(multihash);
    return Cid(std::move(bytes));
}

std::uint64_t Cid::codec() const {
    ICL_ASSERT(defined(), "codec of an undefined CID");
    if (version() == 0) return static_cast<std::uint64_t>(Codec::dag_pb);
    BytesView rest = bytes_;
    (void)take_uvarint(rest);
    return take_uvarint(rest).value();
}

BytesView Cid::multihash() const {
    BytesView rest = bytes_;
    if (version() == 1 && defined()) {
        (void)take_uvarint(rest);
        (void)take_uvarint(rest);
    }
    return rest;
}

std::string Cid::to_string() const {
    if (!defined()) return {};
    if (version() == 0) return base58_encode(bytes_);
    return "b" + base32_encode(bytes_);
}

}  // namespace ipfscluster
