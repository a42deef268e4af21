#include "http/server.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <unordered_map>

#include "base/assert.hpp"
#include "base/log.hpp"
#include "http/connection.hpp"
#include "http/resolve.hpp"
#include "runtime/task_group.hpp"

namespace ipfscluster::http {

namespace {

using TcpAcceptor = asio::ip::tcp::acceptor;
using UnixAcceptor = asio::local::stream_protocol::acceptor;

constexpr Duration kSweepMax = std::chrono::milliseconds(250);
constexpr Duration kSweepMin = std::chrono::milliseconds(5);
constexpr Duration kCutAgain = std::chrono::milliseconds(100);
/// Pause after a failed accept (no descriptors left), so that it does not spin.
constexpr Duration kAcceptPause = std::chrono::milliseconds(100);

Duration sweep_interval(const ServerConfig& config) {
    Duration shortest = kSweepMax;
    for (auto limit : {config.header_timeout, config.read_timeout, config.write_timeout,
                       config.idle_timeout, config.stall_timeout})
        if (limit.count() > 0) shortest = std::min(shortest, limit / 4);
    return std::max(shortest, kSweepMin);
}

/// A socket file whose owner is gone is in the way of bind; one that answers is not ours to remove.
void remove_stale_socket(asio::any_io_executor executor, const std::string& path) {
    struct stat found {};
    if (::stat(path.c_str(), &found) != 0 || !S_ISSOCK(found.st_mode)) return;
    asio::local::stream_protocol::socket probe(executor);
    boost::system::error_code ec;
    probe.connect(asio::local::stream_protocol::endpoint(path), ec);
    if (ec == asio::error::connection_refused) ::unlink(path.c_str());
}

}  // namespace

struct Server::Impl {
    Impl(World& world, ServerConfig config, Handler handler)
        : shared{world, std::move(config), std::move(handler), nullptr, false, {}, -1},
          tasks(world, "http " + shared.config.name),
          ended(world.executor()) {}

    Result<> listen_tcp(const asio::ip::tcp::endpoint& endpoint, const Multiaddr& as);
    Result<> listen_unix(const std::string& path, const Multiaddr& as);
    void begin(GenericSocket socket);
    template <class Acceptor>
    asio::awaitable<void> accept_loop(Acceptor& acceptor);
    asio::awaitable<void> sweep_loop();
    void close_listeners();

    ServerShared shared;
    TaskGroup tasks;
    Signal ended;
    std::vector<std::unique_ptr<TcpAcceptor>> tcp;
    std::vector<std::unique_ptr<UnixAcceptor>> local;
    std::vector<std::string> unix_paths;
    std::vector<Multiaddr> addresses;
    std::unordered_map<Connection*, std::shared_ptr<Connection>> connections;
};

Result<> Server::Impl::listen_tcp(const asio::ip::tcp::endpoint& endpoint, const Multiaddr& as) {
    auto acceptor = std::make_unique<TcpAcceptor>(shared.world.executor());
    boost::system::error_code ec;
    acceptor->open(endpoint.protocol(), ec);
    if (!ec) acceptor->set_option(asio::socket_base::reuse_address(true), ec);
    if (!ec && endpoint.address().is_v6()) acceptor->set_option(asio::ip::v6_only(true), ec);
    if (!ec) acceptor->bind(endpoint, ec);
    if (!ec) acceptor->listen(asio::socket_base::max_listen_connections, ec);
    if (ec)
        return fail(Kind::unavailable, "cannot listen on " + as.to_string() + ": " + ec.message());
    const auto bound = acceptor->local_endpoint(ec);
    ICL_TRY(auto address,
            Multiaddr::parse((bound.address().is_v6() ? "/ip6/" : "/ip4/") +
                             bound.address().to_string() + "/tcp/" + std::to_string(bound.port())));
    addresses.push_back(std::move(address));
    tcp.push_back(std::move(acceptor));
    return ok();
}

Result<> Server::Impl::listen_unix(const std::string& path, const Multiaddr& as) {
    if (path.size() > 107)
        return fail(Kind::invalid, "cannot listen on " + as.to_string() + ": path too long");
    remove_stale_socket(shared.world.executor(), path);
    auto acceptor = std::make_unique<UnixAcceptor>(shared.world.executor());
    boost::system::error_code ec;
    acceptor->open({}, ec);
    if (!ec) acceptor->bind(asio::local::stream_protocol::endpoint(path), ec);
    if (!ec) acceptor->listen(asio::socket_base::max_listen_connections, ec);
    if (ec)
        return fail(Kind::unavailable, "cannot listen on " + as.to_string() + ": " + ec.message());
    addresses.push_back(as);
    unix_paths.push_back(path);
    local.push_back(std::move(acceptor));
    return ok();
}

void Server::Impl::begin(GenericSocket socket) {
    if (shared.stopping || connections.size() >= shared.config.connections_max) return;
    auto connection = std::make_shared<Connection>(shared, std::move(socket));
    connections.emplace(connection.get(), connection);
    asio::co_spawn(shared.world.executor(), connection->run(),
                   asio::bind_cancellation_slot(
                       connection->cancel.slot(), [this, connection](std::exception_ptr error) {
                           ICL_ASSERT(!error, "exceptions must not leave a connection");
                           connections.erase(connection.get());
                           if (connections.empty()) ended.notify_all();
                       }));
}

template <class Acceptor>
asio::awaitable<void> Server::Impl::accept_loop(Acceptor& acceptor) {
    co_await asio::this_coro::throw_if_cancelled(false);
    while (!shared.stopping) {
        GenericSocket socket(shared.world.executor());
        boost::system::error_code ec;
        co_await acceptor.async_accept(socket, asio::redirect_error(asio::use_awaitable, ec));
        if (ec == asio::error::operation_aborted || ec == asio::error::bad_descriptor) co_return;
        if (!ec) {
            begin(std::move(socket));
            continue;
        }
        logger(shared.config.name)->warn("accept failed error=\"{}\"", ec.message());
        auto slept = co_await shared.world.sleep_for(kAcceptPause);
        if (!slept) co_return;
    }
}

asio::awaitable<void> Server::Impl::sweep_loop() {
    const auto interval = sweep_interval(shared.config);
    std::vector<std::shared_ptr<Connection>> round;
    while (true) {
        auto slept = co_await shared.world.sleep_for(interval);
        if (!slept) co_return;
        for (const auto& [key, connection] : connections) round.push_back(connection);
        const auto now = shared.world.steady_now();
        for (const auto& connection : round) connection->sweep(now);
        round.clear();
    }
}

void Server::Impl::close_listeners() {
    boost::system::error_code ignored;
    for (auto& acceptor : tcp) acceptor->close(ignored);
    for (auto& acceptor : local) acceptor->close(ignored);
    for (const auto& path : unix_paths) ::unlink(path.c_str());
    unix_paths.clear();
}

Server::Server(World& world, ServerConfig config, Handler handler)
    : impl_(std::make_unique<Impl>(world, std::move(config), std::move(handler))) {}

Server::~Server() {
    ICL_ASSERT(impl_->connections.empty(), "a server must be stopped");
}

Async<> Server::start() {
    auto& config = impl_->shared.config;
    if (config.tls_cert_file.empty() != config.tls_key_file.empty())
        co_return fail(Kind::invalid, "ssl_cert_file and ssl_key_file belong together");
    if (!config.tls_cert_file.empty()) {
        ICL_CO_TRY(auto tls, server_tls(config.tls_cert_file, config.tls_key_file));
        impl_->shared.tls = std::move(tls);
    }
    for (const auto& address : config.listen) {
        ICL_CO_TRY(auto endpoint, to_tcp_endpoint(address));
        Result<> listening = ok();
        if (!endpoint.unix_path.empty()) {
            listening = impl_->listen_unix(endpoint.unix_path, address);
        } else {
            auto found = co_await resolve(impl_->shared.world, endpoint.host, endpoint.port);
            listening =
                found ? impl_->listen_tcp(found.value().front(), address) : fail(found.error());
        }
        if (!listening) {
            impl_->close_listeners();
            co_return listening;
        }
    }
    for (auto& acceptor : impl_->tcp) impl_->tasks.spawn(impl_->accept_loop(*acceptor));
    for (auto& acceptor : impl_->local) impl_->tasks.spawn(impl_->accept_loop(*acceptor));
    impl_->tasks.spawn(impl_->sweep_loop());
    co_return ok();
}

std::vector<Multiaddr> Server::addresses() const {
    return impl_->addresses;
}

std::size_t Server::connections() const {
    return impl_->connections.size();
}

Async<> Server::stop(Duration drain) {
    auto& impl = *impl_;
    impl.shared.stopping = true;
    impl.close_listeners();
    std::vector<std::shared_ptr<Connection>> round;
    for (const auto& [key, connection] : impl.connections) round.push_back(connection);
    for (const auto& connection : round) connection->end_when_idle();
    round.clear();
    const auto until =
        impl.shared.world.steady_now() + std::chrono::duration_cast<SteadyTime::duration>(drain);
    while (!impl.connections.empty() && impl.shared.world.steady_now() < until) {
        auto drained =
            co_await with_deadline<void>(impl.shared.world, until - impl.shared.world.steady_now(),
                                         "draining", impl.ended.wait());
        if (!drained && drained.error().kind == Kind::cancelled) break;
    }
    while (!impl.connections.empty()) {
        // Again each round: a connection between two waits does not feel the first cut.
        for (const auto& [key, connection] : impl.connections) round.push_back(connection);
        for (const auto& connection : round) connection->cut();
        round.clear();
        auto ended = co_await with_deadline<void>(impl.shared.world, kCutAgain, "cutting",
                                                  impl.ended.wait());
        if (!ended && ended.error().kind == Kind::cancelled) co_return ended;
    }
    auto stopped = co_await impl.tasks.stop();
    co_return stopped;
}

}  // namespace ipfscluster::http
