#pragma once
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "multi/peer_id.hpp"

namespace ipfscluster {

/// A multiaddress, kept in its binary form and checked when built. Text is canonical: `/p2p/<id>`
/// for the peer part (`/ipfs/<id>` is accepted on input). A plain value.
class Multiaddr {
 public:
    Multiaddr() = default;
    /// Starts with '/'; `invalid` names the component that is wrong.
    static Result<Multiaddr> parse(std::string_view text);
    static Result<Multiaddr> from_bytes(BytesView bytes);

    bool empty() const { return bytes_.empty(); }
    const Bytes& bytes() const { return bytes_; }
    std::string to_string() const;

    struct Component {
        std::string protocol;  ///< "ip4", "tcp", "p2p", …
        std::string value;     ///< text form; empty for protocols without a value
    };
    std::vector<Component> components() const;
    /// Value of the first component with that name.
    std::optional<std::string> value_of(std::string_view protocol) const;

    /// The last `/p2p/` component's id.
    std::optional<PeerId> peer_id() const;
    /// Without a trailing `/p2p/<id>`.
    Multiaddr without_peer() const;
    /// With `/p2p/<id>` at its end (replacing one that is there).
    Multiaddr with_peer(const PeerId& id) const;

    friend auto operator<=>(const Multiaddr&, const Multiaddr&) = default;
    friend bool operator==(const Multiaddr&, const Multiaddr&) = default;

 private:
    explicit Multiaddr(Bytes bytes) : bytes_(std::move(bytes)) {}
    Bytes bytes_;
};

/// Host and port of a `/ip4|ip6|dns*/…/tcp/…` address, or the path of `/unix/…`.
struct TcpEndpoint {
    std::string host;
    std::uint16_t port = 0;
    std::string unix_path;
};
/// `invalid` when the address is neither TCP nor a unix socket.
Result<TcpEndpoint> to_tcp_endpoint(const Multiaddr& address);

}  // namespace ipfscluster
