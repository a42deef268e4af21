#pragma once
#include <functional>
#include <optional>
#include <string>

#include "http/client.hpp"
#include "http/exchange.hpp"

namespace ipfscluster::ipfsproxy {

/// Connections to the daemon open at once; further requests wait for one.
inline constexpr std::size_t kUpstreamConnectionsMax = 1024;

/// Where the requests go that are not the cluster's.
struct UpstreamNode {
    std::optional<Multiaddr> address;
    bool https = false;
    std::string missing;  ///< why there is no address; what clients are told then
};

/// The IPFS daemon behind the proxy. Owned by the proxy; one strand. Waits for the daemon as long
/// as the client does: a client that goes away ends its request there too.
class Upstream {
 public:
    /// `invalid` when the address is neither TCP nor a unix socket.
    static Result<std::unique_ptr<Upstream>> make(World& world, UpstreamNode node);

    /// Passes the request and its answer on, body by piece in both directions. An answer that the
    /// daemon breaks off is broken off for the client too. A daemon that cannot be reached is a 502
    /// with the cause.
    Async<> pass(http::Exchange& e);

    /// Does something with the daemon's answer, whose head has been read.
    using Answer = std::function<Async<>(http::ClientCall&)>;
    /// Sends the request with its body to another target of the daemon; `answer` runs meanwhile.
    Async<> pass_to(http::Exchange& e, std::string target, Answer answer);
    /// Passes on an answer whose head has been read.
    static Async<> relay(http::Exchange& e, http::ClientCall& call);

    /// A request of our own, answered within `limit`.
    Async<http::ClientAnswer> ask(http::ClientRequest request, Duration limit);
    /// As people read it.
    const std::string& name() const { return name_; }
    void close();

 private:
    Upstream(World& world, UpstreamNode node);
    Async<> bad_gateway(http::Exchange& e, Error error) const;

    World& world_;
    std::string missing_, name_;
    std::unique_ptr<http::Client> client_;
};

/// The fields of a request or an answer that concern one connection alone (RFC 9110 7.6.1) are left
/// out, and those the sender of the copy writes itself. Pure.
void copy_end_to_end(const http::Headers& from, http::Headers& to);

}  // namespace ipfscluster::ipfsproxy
