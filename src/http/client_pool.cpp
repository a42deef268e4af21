#include "http/client_pool.hpp"

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "runtime/task_group.hpp"

namespace ipfscluster::http::detail {

ClientPool::ClientPool(World& world, ClientConfig config)
    : world_(world),
      config_(std::move(config)),
      resolver_(world, config_.host, config_.port),
      freed_(world.executor()) {}

Async<ClientConnectionPtr> ClientPool::acquire(bool fresh) {
    while (true) {
        if (closed_) co_return fail(Kind::shutting_down, "the HTTP client is closed");
        while (!fresh && !idle_.empty()) {
            auto connection = std::move(idle_.back());
            idle_.pop_back();
            if (!connection->stream->peer_closed()) {
                connection->reused = true;
                co_return connection;
            }
            --open_;
        }
        if (open_ < config_.connections_max) break;
        if (!idle_.empty()) {
            idle_.erase(idle_.begin());
            --open_;
            break;
        }
        ICL_CO_TRY(co_await freed_.wait());
    }
    ++open_;
    auto opened = co_await open();
    if (!opened) {
        --open_;
        freed_.notify_one();
    }
    co_return opened;
}

Async<ClientConnectionPtr> ClientPool::open() {
    if (config_.tls && !tls_) {
        ICL_CO_TRY(tls_, client_tls(config_.tls_verify));
    }
    const std::string where = config_.unix_path.empty()
                                  ? config_.host + ":" + std::to_string(config_.port)
                                  : config_.unix_path;
    std::optional<Result<ByteStreamPtr>> stream;
    if (config_.connect_timeout.count() > 0)
        stream.emplace(co_await with_deadline<ByteStreamPtr>(world_, config_.connect_timeout,
                                                             "connecting to " + where, connect()));
    else
        stream.emplace(co_await connect());
    if (!*stream) {
        // Nothing was sent: whoever may try elsewhere need not fear that it happened here.
        if (stream->error().kind == Kind::timeout)
            co_return fail(Kind::unavailable, stream->error().text);
        co_return fail(stream->error());
    }
    auto connection = std::make_unique<ClientConnection>();
    connection->stream = std::move(stream->value());
    co_return connection;
}

Async<GenericSocket> ClientPool::connect_socket() {
    GenericSocket socket(world_.executor());
    boost::system::error_code ec;
    if (!config_.unix_path.empty()) {
        const asio::local::stream_protocol::endpoint endpoint(config_.unix_path);
        co_await socket.async_connect(asio::generic::stream_protocol::endpoint(endpoint),
                                      asio::redirect_error(asio::use_awaitable, ec));
        if (ec) co_return fail(stream_error("connecting to " + config_.unix_path, ec));
        co_return socket;
    }
    ICL_CO_TRY(auto endpoints, co_await resolver_.resolve());
    for (const auto& endpoint : endpoints) {
        boost::system::error_code ignored;
        socket.close(ignored);
        co_await socket.async_connect(asio::generic::stream_protocol::endpoint(endpoint),
                                      asio::redirect_error(asio::use_awaitable, ec));
        if (!ec) co_return socket;
        if (ec == asio::error::operation_aborted) break;
    }
    co_return fail(
        stream_error("connecting to " + config_.host + ":" + std::to_string(config_.port), ec));
}

Async<ByteStreamPtr> ClientPool::connect() {
    ICL_CO_TRY(auto socket, co_await connect_socket());
    if (!config_.tls) co_return plain_stream(std::move(socket));
    auto stream = co_await tls_connect(std::move(socket), tls_, config_.host, config_.tls_verify);
    co_return stream;
}

void ClientPool::release(ClientConnectionPtr connection) {
    if (!closed_ && connection->reusable() && idle_.size() < config_.idle_connections_max) {
        idle_.push_back(std::move(connection));
    } else {
        --open_;
    }
    freed_.notify_one();
}

void ClientPool::close() {
    closed_ = true;
    open_ -= idle_.size();
    idle_.clear();
    resolver_.close();
    freed_.notify_all();
}

}  // namespace ipfscluster::http::detail
