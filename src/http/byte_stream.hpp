#pragma once
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>

#include "base/bytes.hpp"
#include "runtime/async.hpp"

namespace ipfscluster::http {

using GenericSocket = asio::generic::stream_protocol::socket;

/// A connected byte stream: TCP or unix socket, plain or under TLS. Owned by one connection; one
/// strand. One read and one write in flight at most. Cancelling the awaiting coroutine ends the
/// operation with `cancelled`; the stream is of no further use then.
class ByteStream {
 public:
    explicit ByteStream(GenericSocket socket);
    virtual ~ByteStream() = default;

    /// At least one byte; 0 at the clean end.
    virtual Async<std::size_t> read_some(char* to, std::size_t size) = 0;
    /// All of `bytes`, which stay valid meanwhile.
    virtual Async<> write(BytesView bytes) = 0;
    /// What the kernel takes without waiting; 0 when it takes none or the stream cannot do that.
    virtual std::size_t write_now(BytesView) { return 0; }
    /// Whether write_now can ever take something.
    virtual bool writes_now() const { return false; }
    /// Ends our direction (with TLS' farewell where that needs no waiting).
    void shutdown_send();
    void close();
    /// The other side has closed its direction (or the connection is broken), whether or not bytes
    /// it sent before are still unread.
    bool peer_closed() const;
    /// The connection is broken in both directions.
    bool broken() const;
    /// "127.0.0.1:4242", "[::1]:4242" or "@".
    std::string remote() const;
    /// Bytes moved in both directions: what the stall watch looks at.
    std::uint64_t moved() const { return moved_; }

 protected:
    GenericSocket socket_;
    std::uint64_t moved_ = 0;
};
using ByteStreamPtr = std::unique_ptr<ByteStream>;

ByteStreamPtr plain_stream(GenericSocket socket);

using TlsContext = std::shared_ptr<asio::ssl::context>;
/// TLS 1.2 and newer with the given PEM files; `invalid` names the file that is wrong.
Result<TlsContext> server_tls(const std::string& cert_file, const std::string& key_file);
/// Verifies against the system's certificates unless told not to.
Result<TlsContext> client_tls(bool verify);
/// Wraps an accepted socket and shakes hands.
Async<ByteStreamPtr> tls_accept(GenericSocket socket, TlsContext context);
/// Wraps a connected socket and shakes hands; the certificate must be for `host` when it is
/// verified.
Async<ByteStreamPtr> tls_connect(GenericSocket socket, TlsContext context, std::string host,
                                 bool verify);

/// An Error for a failed socket operation; `cancelled` for an aborted one.
Error stream_error(std::string_view what, const boost::system::error_code& ec);

}  // namespace ipfscluster::http
