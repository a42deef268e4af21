#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "multi/cid.hpp"
#include "multi/multiaddr.hpp"
#include "multi/peer_id.hpp"

namespace ipfscluster {

/// Go's bits (reference/internals 2.4). A filter is an or of them; 0 matches everything.
enum class TrackerStatus : std::uint32_t {
    undefined = 0,
    cluster_error = 2,
    pin_error = 4,
    unpin_error = 8,
    error = 14,
    pinned = 16,
    pinning = 32,
    unpinning = 64,
    unpinned = 128,
    remote = 256,
    pin_queued = 512,
    unpin_queued = 1024,
    queued = 1536,
    sharded = 2048,
    unexpectedly_unpinned = 4096,
};
using StatusFilter = std::uint32_t;

std::string_view to_string(TrackerStatus status);
/// One status word; nothing when unknown.
std::optional<TrackerStatus> parse_status(std::string_view text);
/// Comma list, spaces stripped, unknown words ignored; `invalid` when no known word is in a
/// non-empty text.
Result<StatusFilter> parse_status_filter(std::string_view text);
inline bool matches(TrackerStatus status, StatusFilter filter) {
    return filter == 0 || status == TrackerStatus::undefined ||
           (static_cast<StatusFilter>(status) & filter) != 0;
}

/// What one peer says of one CID, without the CID.
struct PinInfoShort {
    std::string peername;
    PeerId ipfs_peer;
    std::vector<Multiaddr> ipfs_addresses;
    TrackerStatus status = TrackerStatus::undefined;
    Time timestamp = kTimeUnset;
    std::string error;
    int attempt_count = 0;
    bool priority_pin = false;
    /// What a pin that runs has fetched so far, as far as known; 0 otherwise.
    std::uint64_t fetched_blocks = 0;
    std::uint64_t fetched_bytes = 0;
};

/// A row of one peer's status list.
struct PinInfo {
    Cid cid;
    std::string name;
    PeerId peer;
    std::vector<PeerId> allocations;
    std::vector<Multiaddr> origins;
    Time created = kTimeUnset;
    std::map<std::string, std::string> metadata;
    PinInfoShort info;
};

/// A row of the cluster's status list.
struct GlobalPinInfo {
    Cid cid;
    std::string name;
    std::vector<PeerId> allocations;
    std::vector<Multiaddr> origins;
    Time created = kTimeUnset;
    std::map<std::string, std::string> metadata;
    std::map<PeerId, PinInfoShort> peer_map;

    /// Adds one peer's row; its common fields win unless it is a cluster_error and we have some.
    void add(const PinInfo& row);
};

/// How the IPFS daemon holds a CID (wire numbers of reference/internals 2.4).
enum class IpfsPinStatus : std::int32_t {
    bug = 0,
    error = 1,
    direct = 2,
    recursive = 3,
    indirect = 4,
    unpinned = 5
};
struct IpfsPinInfo {
    Cid cid;
    IpfsPinStatus status = IpfsPinStatus::bug;
};

}  // namespace ipfscluster
