#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "http/exchange.hpp"
#include "multi/multiaddr.hpp"
#include "runtime/world.hpp"

namespace ipfscluster::http {

/// Limits and addresses of one server. A zero duration means "none".
struct ServerConfig {
    std::string name = "http";      ///< log facility
    std::vector<Multiaddr> listen;  ///< /ip4|ip6|dns*/…/tcp/PORT (0: any free port) or /unix/PATH
    std::string tls_cert_file, tls_key_file;  ///< PEM; both or none; TLS ≥ 1.2

    std::size_t header_bytes_max = 4096 + 4096;  ///< request line and fields together
    Duration header_timeout =
        std::chrono::seconds(5);  ///< from the first byte of a request to its last header
    Duration read_timeout{};      ///< whole request
    Duration write_timeout{};     ///< whole answer
    Duration idle_timeout = std::chrono::minutes(2);  ///< between requests
    Duration stall_timeout =
        std::chrono::minutes(5);         ///< without one byte moving while we wait for the client
    std::size_t connections_max = 4096;  ///< further ones are closed at once
    /// One line in Apache's common log form per request; empty: none.
    std::function<void(std::string_view line)> access_log;
};

/// An HTTP/1.1 server: listeners, keep-alive connections (one request at a time each), limits.
/// Owned by its surface (REST, proxy, gateway); must be stopped before it is destroyed. One strand:
/// the World's.
class Server {
 public:
    Server(World& world, ServerConfig config, Handler handler);
    ~Server();

    /// Binds every address and begins to accept. `unavailable` names the address that cannot be
    /// bound (nothing listens then); `invalid` a bad certificate.
    Async<> start();
    /// Where it listens, with real ports; same order as the configuration.
    std::vector<Multiaddr> addresses() const;
    /// Refuses new connections, lets running requests end for at most `drain`, then cuts them.
    /// Idempotent.
    Async<> stop(Duration drain);
    std::size_t connections() const;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace ipfscluster::http
