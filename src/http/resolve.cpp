#include "http/resolve.hpp"

#include <netdb.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>
#include <cstring>
#include <optional>

#include "runtime/signal.hpp"

namespace ipfscluster::http {

namespace {

Result<Endpoints> look_up(const std::string& host, std::uint16_t port) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int failed = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
    if (failed != 0) return fail(Kind::unavailable, host + ": " + ::gai_strerror(failed));
    Endpoints endpoints;
    for (const auto* at = found; at != nullptr; at = at->ai_next) {
        asio::ip::tcp::endpoint endpoint;
        if (at->ai_addrlen > endpoint.capacity()) continue;
        std::memcpy(endpoint.data(), at->ai_addr, at->ai_addrlen);
        endpoint.resize(at->ai_addrlen);
        endpoint.port(port);
        endpoints.push_back(endpoint);
    }
    ::freeaddrinfo(found);
    if (endpoints.empty()) return fail(Kind::unavailable, host + ": no address");
    return endpoints;
}

/// An address stands for itself.
std::optional<Endpoints> as_address(const std::string& host, std::uint16_t port) {
    boost::system::error_code ec;
    const auto address = asio::ip::make_address(host, ec);
    if (ec) return std::nullopt;
    return Endpoints{{address, port}};
}

}  // namespace

Async<Endpoints> resolve(World& world, std::string host, std::uint16_t port) {
    if (auto known = as_address(host, port)) co_return std::move(*known);
    auto work = [host, port] { return look_up(host, port); };
    auto found = co_await offload(world, Pool::names, std::move(work));
    co_return found;
}

struct Resolver::Core {
    Core(World& w, std::string h, std::uint16_t p, LookUp l)
        : world(w), host(std::move(h)), port(p), look_up(std::move(l)), ended(w.executor()) {}
    World& world;
    std::string host;
    std::uint16_t port;
    LookUp look_up;
    bool running = false;
    std::uint64_t rounds = 0;  ///< look-ups that ended
    Result<Endpoints> found = fail(Kind::internal, "not looked up yet");
    asio::cancellation_signal give_up;
    Signal ended;
};

Resolver::Resolver(World& world, std::string host, std::uint16_t port)
    : Resolver(world, std::move(host), port, look_up) {}

Resolver::Resolver(World& world, std::string host, std::uint16_t port, LookUp look_up)
    : core_(std::make_shared<Core>(world, std::move(host), port, std::move(look_up))) {}

Resolver::~Resolver() {
    close();
}

asio::awaitable<void> Resolver::run(std::shared_ptr<Core> core) {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto work = [ask = core->look_up, host = core->host, port = core->port] {
        return ask(host, port);
    };
    auto found = co_await offload(core->world, Pool::names, std::move(work));
    if (!found && found.error().kind == Kind::cancelled)
        found = fail(Kind::shutting_down, "looking " + core->host + " up was given up");
    core->found = std::move(found);
    core->running = false;
    ++core->rounds;
    core->ended.notify_all();
}

Async<Endpoints> Resolver::resolve() {
    const auto core = core_;
    if (auto known = as_address(core->host, core->port)) co_return std::move(*known);
    const auto round = core->rounds;  // before it begins: it may end at once
    if (!core->running) {
        core->running = true;
        asio::co_spawn(core->world.executor(), run(core),
                       asio::bind_cancellation_slot(core->give_up.slot(), asio::detached));
    }
    while (core->rounds == round) {
        ICL_CO_TRY(co_await core->ended.wait());
    }
    co_return core->found;
}

void Resolver::close() {
    const auto core = core_;
    core->give_up.emit(asio::cancellation_type::terminal);
}

}  // namespace ipfscluster::http
