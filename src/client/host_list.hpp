#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "http/client.hpp"

namespace ipfscluster::client {

inline constexpr std::uint16_t kRestPort = 9094;
inline constexpr std::size_t kHostsMax = 64;

/// Reads a `--host` list: comma separated multiaddresses (`/ip4/…/tcp/…`, `/dns4/…`, `/unix/…`), or
/// `host`, `host:port`, `http://host:port`, `https://…` as old versions took. `invalid` names the
/// part; `unsupported` for HTTP over libp2p (`…/p2p/<id>`, `/dnsaddr/…`).
Result<std::vector<http::ClientConfig>> parse_hosts(std::string_view list);

}  // namespace ipfscluster::client
