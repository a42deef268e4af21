#pragma once
#include <boost/asio/ip/tcp.hpp>
#include <vector>

#include "runtime/world.hpp"

namespace ipfscluster::http {

/// The addresses of a host name (an address stands for itself), looked up away from the strand.
/// `unavailable` with the resolver's words.
Async<std::vector<asio::ip::tcp::endpoint>> resolve(World& world, std::string host,
                                                    std::uint16_t port);

}  // namespace ipfscluster::http
