#pragma once
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <vector>

#include "runtime/world.hpp"

namespace ipfscluster::http {

using Endpoints = std::vector<asio::ip::tcp::endpoint>;

/// The addresses of a host name (an address stands for itself), looked up away from the strand.
/// `unavailable` with the resolver's words.
Async<Endpoints> resolve(World& world, std::string host, std::uint16_t port);

/// Looks one host name up, as often as asked but once at a time: whoever asks meanwhile shares the
/// look-up under way, also when the one that began it has given up. So a name server that does not
/// answer costs one thread of those for look-ups for each name, and nothing grows. Owned by the
/// connections to that host; one strand, from which it is closed, too. Fails as `resolve` does.
class Resolver {
 public:
    using LookUp = std::function<Result<Endpoints>(const std::string& host, std::uint16_t port)>;
    Resolver(World& world, std::string host, std::uint16_t port);
    /// For tests: with another way to look up, which may block and owns what it uses.
    Resolver(World& world, std::string host, std::uint16_t port, LookUp look_up);
    ~Resolver();
    Resolver(const Resolver&) = delete;
    Resolver& operator=(const Resolver&) = delete;

    Async<Endpoints> resolve();
    /// Gives the look-up under way up; who waits for it gets `shutting_down`.
    void close();

 private:
    struct Core;
    static asio::awaitable<void> run(std::shared_ptr<Core> core);
    std::shared_ptr<Core> core_;  ///< shared with the look-up under way and those who wait for it
};

}  // namespace ipfscluster::http
