#pragma once
#include "api/ipfsproxy/call.hpp"

namespace ipfscluster::ipfsproxy {

/// Longest line of the daemon's answer to `block/put` or `dag/put`.
inline constexpr std::size_t kPutRowBytesMax = 64 * 1024;

/// The CID in one line of that answer: `{"Key":"…"}` of `block/put`, `{"Cid":{"/":"…"}}` of
/// `dag/put`. `corrupt` when there is none. Pure.
Result<Cid> parse_put_row(Op op, std::string_view line);

}  // namespace ipfscluster::ipfsproxy
