#include "http/resolve.hpp"

#include <netdb.h>

#include <cstring>

namespace ipfscluster::http {

namespace {

using Endpoints = std::vector<asio::ip::tcp::endpoint>;

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

}  // namespace

Async<Endpoints> resolve(World& world, std::string host, std::uint16_t port) {
    boost::system::error_code ec;
    const auto address = asio::ip::make_address(host, ec);
    if (!ec) co_return Endpoints{{address, port}};
    auto work = [host, port] { return look_up(host, port); };
    auto found = co_await offload(world, std::move(work));
    co_return found;
}

}  // namespace ipfscluster::http
