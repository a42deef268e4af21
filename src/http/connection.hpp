#pragma once
#include <boost/asio/cancellation_signal.hpp>
#include <memory>
#include <optional>

#include "http/byte_stream.hpp"
#include "http/exchange.hpp"
#include "http/parser.hpp"
#include "http/server.hpp"

namespace ipfscluster::http {

/// What the connections of one server share. Owned by the server.
struct ServerShared {
    World& world;
    ServerConfig config;
    Handler handler;
    TlsContext tls;
    bool stopping = false;
    std::string date_field;  ///< "Date: …\r\n" of `date_second`
    std::int64_t date_second = -1;
};

/// One accepted connection: reads heads, runs the handler, keeps alive. Held by the server's table
/// and by its own coroutine. One strand. Its waits carry no timers; the server's sweep looks at the
/// clock for all.
class Connection final : public std::enable_shared_from_this<Connection> {
 public:
    Connection(ServerShared& shared, GenericSocket socket);

    /// Lives until the connection is closed.
    asio::awaitable<void> run();
    /// Cuts the connection when a limit has passed or its client has gone.
    void sweep(SteadyTime now);
    /// Ends it as soon as no request is running.
    void end_when_idle();
    void cut() { cancel.emit(asio::cancellation_type::terminal); }
    asio::cancellation_signal cancel;

    // For Exchange.
    Async<Bytes> read_body();
    Async<> write(BytesView bytes);
    std::size_t write_now(BytesView bytes) { return stream_->write_now(bytes); }
    bool writes_now() const { return stream_->writes_now(); }
    void post_flush();
    const std::string& date_field();
    bool keeps_alive() const;

 private:
    enum class Phase { handshake, idle, head, busy, lingering };
    enum class Head { ready, closed, refused };

    void enter(Phase phase);
    asio::awaitable<void> serve();
    asio::awaitable<Head> read_head();
    asio::awaitable<bool> fill();
    asio::awaitable<bool> answer();
    asio::awaitable<bool> finish_request();
    asio::awaitable<void> refuse(int status);
    asio::awaitable<void> linger();
    int check_head();
    bool take_head();
    void log_access();

    ServerShared& shared_;
    std::optional<GenericSocket> socket_;
    ByteStreamPtr stream_;
    Exchange exchange_;
    std::optional<RequestParser> parser_;
    std::string in_;  ///< input buffer; bytes [in_at_, in_end_) are not parsed yet
    std::size_t in_at_ = 0, in_end_ = 0;
    std::uint64_t request_number_ = 0;
    bool expects_continue_ = false;

    Phase phase_ = Phase::handshake;
    SteadyTime phase_since_{};
    SteadyTime moved_at_{};
    std::uint64_t moved_seen_ = 0;
    int waiting_ = 0;  ///< reads and writes in flight
};

}  // namespace ipfscluster::http
