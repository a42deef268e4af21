#pragma once
#include <compare>
#include <functional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "multi/multihash.hpp"

namespace ipfscluster {

/// Content codecs we name (multiformats table).
enum class Codec : std::uint64_t {
    raw = 0x55,
    dag_pb = 0x70,
    dag_cbor = 0x71,
    libp2p_key = 0x72,
    dag_json = 0x0129
};

/// "dag-pb", "raw", "dag-cbor", …; a hexadecimal number for another one.
std::string codec_name(std::uint64_t codec);

/// A content identifier: an immutable value that holds its binary form. Version 0 is the bare
/// sha2-256 multihash; version 1 is 01 ‖ codec ‖ multihash. v0 and v1 of one hash are different
/// values. A default built Cid is undefined. Any strand.
class Cid {
 public:
    Cid() = default;
    /// Checks the whole form; `invalid` with what is wrong.
    static Result<Cid> from_bytes(BytesView bytes);
    /// Reads one binary CID from the front of `in` and removes it (CAR, dag-pb links).
    static Result<Cid> take(BytesView& in);
    /// `Qm…` or any multibase form of a version 1 CID we know (base32, base58btc, base16, base36,
    /// base64…).
    static Result<Cid> parse(std::string_view text);
    static Cid v0(BytesView sha256_multihash);
    static Cid v1(std::uint64_t codec, BytesView multihash);
    static Cid v1(Codec codec, BytesView multihash) {
        return v1(static_cast<std::uint64_t>(codec), multihash);
    }

    bool defined() const { return !bytes_.empty(); }
    int version() const { return !bytes_.empty() && bytes_[0] == 0x12 ? 0 : 1; }
    std::uint64_t codec() const;
    /// The multihash inside; points into this value.
    BytesView multihash() const;
    const Bytes& bytes() const { return bytes_; }
    /// base58btc for version 0, base32 lower for version 1; empty when undefined.
    std::string to_string() const;

    friend auto operator<=>(const Cid&, const Cid&) = default;
    friend bool operator==(const Cid&, const Cid&) = default;

 private:
    explicit Cid(Bytes bytes) : bytes_(std::move(bytes)) {}
    Bytes bytes_;
};

}  // namespace ipfscluster

template <>
struct std::hash<ipfscluster::Cid> {
    std::size_t operator()(const ipfscluster::Cid& cid) const noexcept {
        return std::hash<std::string>{}(cid.bytes());
    }
};
