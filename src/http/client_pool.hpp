#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "http/byte_stream.hpp"
#include "http/client.hpp"
#include "http/parser.hpp"
#include "http/resolve.hpp"
#include "runtime/signal.hpp"

namespace ipfscluster::http::detail {

/// One connection of a client with the state of the call that uses it. Owned by a call or by the
/// pool.
struct ClientConnection {
    ByteStreamPtr stream;
    std::optional<ResponseParser> parser;
    std::string in;
    std::size_t in_at = 0, in_end = 0;
    Method method = Method::get;
    bool reused = false;
    bool streamed = false;
    bool request_done = false;  ///< all of the request was sent
    bool head_done = false;
    bool answer_done = false;
    bool failed = false;

    /// Ready for the next request.
    bool reusable() const {
        return request_done && answer_done && !failed && parser && parser->keep_alive() &&
               in_at == in_end;
    }
};
using ClientConnectionPtr = std::unique_ptr<ClientConnection>;

/// The connections of one client. Shared with running calls because they may end after the client.
/// One strand.
class ClientPool {
 public:
    ClientPool(World& world, ClientConfig config);

    /// An idle connection that is still alive, or a new one (always when `fresh`); waits while
    /// `connections_max` are open.
    Async<ClientConnectionPtr> acquire(bool fresh);
    /// Takes a connection back, or closes it when it cannot serve again.
    void release(ClientConnectionPtr connection);
    void close();
    /// A call may get a connection that the server has meanwhile closed.
    bool has_idle() const { return !idle_.empty(); }

    World& world() { return world_; }
    const ClientConfig& config() const { return config_; }

 private:
    Async<ByteStreamPtr> connect();
    Async<GenericSocket> connect_socket();
    Async<ClientConnectionPtr> open();

    World& world_;
    ClientConfig config_;
    TlsContext tls_;
    Resolver resolver_;
    std::vector<ClientConnectionPtr> idle_;
    std::size_t open_ = 0;  ///< idle ones included
    bool closed_ = false;
    Signal freed_;
};

}  // namespace ipfscluster::http::detail
