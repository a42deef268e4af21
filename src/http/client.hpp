#pragma once
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "http/message.hpp"
#include "multi/multiaddr.hpp"
#include "runtime/source.hpp"
#include "runtime/world.hpp"

namespace ipfscluster::http {

/// Where a client connects and how long it waits. A zero duration means "none".
struct ClientConfig {
    std::string host = "127.0.0.1";  ///< name or address; also the `Host` field and the TLS name
    std::uint16_t port = 0;
    std::string unix_path;  ///< connect there instead; `host` is still sent
    bool tls = false;
    bool tls_verify = true;                  ///< against the system's certificates
    std::string basic_user, basic_password;  ///< sent with each request when a user is set
    std::string bearer_token;

    Duration connect_timeout = std::chrono::seconds(10);
    Duration head_timeout{};  ///< from the end of the request to the answer's head
    Duration stall_timeout = std::chrono::minutes(5);  ///< without one byte moving
    std::size_t header_bytes_max = 64 * 1024;
    std::size_t idle_connections_max = 16;  ///< kept for reuse
    std::size_t connections_max = 128;      ///< open at once; further calls wait their turn
};

/// Host and port (or unix path) of a multiaddress put into a configuration; `invalid` if it is
/// neither.
Result<ClientConfig> client_config_for(const Multiaddr& address);

struct ClientRequest {
    Method method = Method::get;
    std::string target = "/";  ///< path and query, already percent encoded
    Headers headers;
    Bytes body;             ///< a whole body; ignored when `streamed`
    bool streamed = false;  ///< the body follows by write_body / finish_body, chunked
};

struct ClientAnswer {
    int status = 0;
    Headers headers;
    Headers trailers;
    Bytes body;
};

namespace detail {
struct ClientConnection;
class ClientPool;
}  // namespace detail

/// One request on its way. Owned by the caller; destroying it before the end of the answer closes
/// the connection (which cancels the work at the server), after it the connection returns to the
/// pool. May outlive the client's `close`, not the World. One coroutine may write the body while
/// another reads the answer. Errors: `unavailable` before anything was sent, `unknown_outcome` when
/// the request was sent and the answer's head did not come, `corrupt` for a broken answer,
/// `timeout`, `cancelled`.
class ClientCall {
 public:
    ClientCall(std::shared_ptr<detail::ClientPool> pool,
               std::unique_ptr<detail::ClientConnection> connection);
    ~ClientCall();

    /// Sends one piece of a streamed body. An early final answer of the server (an error) makes it
    /// fail; read the head then.
    Async<> write_body(Bytes piece);
    Async<> finish_body();

    /// Waits for the head of the answer (skipping 1xx). May be called while the body is still being
    /// written.
    Async<> read_head();
    int status() const;
    Method method() const;  ///< of the request
    const Headers& headers() const;
    /// The next piece of the answer's body; empty at its end.
    Async<Bytes> read();
    /// The rest of the body; `invalid` when longer than `limit`.
    Async<Bytes> read_all(std::size_t limit);
    /// Complete once `read` has given the empty piece.
    const Headers& trailers() const;
    /// The non-empty values of that trailer joined by "; " (reference/http 1.6).
    std::string trailer_error(std::string_view name = "X-Stream-Error") const;

 private:
    friend class Client;
    std::shared_ptr<detail::ClientPool> pool_;
    std::unique_ptr<detail::ClientConnection> connection_;
};
using ClientCallPtr = std::unique_ptr<ClientCall>;

/// An HTTP/1.1 client of one server with a bounded pool of keep-alive connections. Owned by its
/// user; one strand. A request on a reused connection that died before answering is repeated once
/// when its method is idempotent and its body is at hand.
class Client {
 public:
    Client(World& world, ClientConfig config);
    ~Client();

    /// Sends the head (and a whole body) and returns without waiting for the answer.
    Async<ClientCallPtr> open(ClientRequest request);
    /// open + read_head, with the retry described above. Not for streamed bodies.
    Async<ClientCallPtr> send(ClientRequest request);
    /// send + read_all: for small answers.
    Async<ClientAnswer> fetch(ClientRequest request, std::size_t body_max = 16 * 1024 * 1024);
    /// Closes idle connections and refuses new calls (`shutting_down`). Running calls go on.
    void close();
    const ClientConfig& config() const;

 private:
    std::shared_ptr<detail::ClientPool> pool_;
};

}  // namespace ipfscluster::http
