#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "model/peer_info.hpp"

namespace ipfscluster::cluster {

/// A ping that claims to be good for longer says nothing.
inline constexpr Duration kPingTtlMax = std::chrono::hours(24);

/// What a peer says of itself in the value of its pings: a JSON object whose first three fields
/// are Go's. Go peers ignore ours and do not send them.
struct PingValue {
    std::string peername;
    IpfsId ipfs;
    /// Field `ttl`: for how long the ping is good. The ping's `expire` minus this is what the
    /// sender's clock showed when it sent it.
    std::optional<Duration> ttl;
    /// Field `outside`: whether it can fetch what no member has. A Go peer, which does not say so,
    /// has a daemon that can.
    bool outside = true;
};

std::string to_json(const PingValue& value);
/// Fields that are missing or make no sense stay empty; nothing when the text is no JSON object.
std::optional<PingValue> parse_ping(std::string_view text);

}  // namespace ipfscluster::cluster
