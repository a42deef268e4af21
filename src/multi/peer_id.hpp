#pragma once
#include <compare>
#include <functional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace ipfscluster {

/// A libp2p peer id: the multihash of its public key (identity for keys of at most 42 bytes, else
/// sha2-256). Default built: empty, "no peer". A plain value.
class PeerId {
 public:
    PeerId() = default;
    /// Checks that the bytes are one multihash of a kind peer ids use.
    static Result<PeerId> from_bytes(BytesView multihash);
    /// base58 (`12D3…`, `Qm…`, `16U…`) or a CIDv1 with codec libp2p-key.
    static Result<PeerId> parse(std::string_view text);

    bool empty() const { return bytes_.empty(); }
    const Bytes& bytes() const { return bytes_; }
    /// base58btc; empty text for the empty id.
    std::string to_string() const;
    /// The last six characters, for logs.
    std::string short_name() const;

    friend auto operator<=>(const PeerId&, const PeerId&) = default;
    friend bool operator==(const PeerId&, const PeerId&) = default;

 private:
    explicit PeerId(Bytes bytes) : bytes_(std::move(bytes)) {}
    Bytes bytes_;
};

}  // namespace ipfscluster

template <>
struct std::hash<ipfscluster::PeerId> {
    std::size_t operator()(const ipfscluster::PeerId& id) const noexcept {
        return std::hash<std::string>{}(id.bytes());
    }
};
