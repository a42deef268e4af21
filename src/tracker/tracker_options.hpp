#pragma once
#include <string>

#include "base/time.hpp"
#include "model/peer_info.hpp"

namespace ipfscluster::tracker {

/// `pin_tracker.stateless` of service.json, and what it does not name.
struct TrackerOptions {
    int concurrent_pins = 10;
    int concurrent_unpins = 4;
    Duration priority_pin_max_age = std::chrono::hours(24);
    int priority_pin_max_retries = 5;
    /// Work waits on disk and is never refused; a longer queue is only logged.
    std::int64_t max_pin_queue_size = 1'000'000;
    Duration retry_delay_first = std::chrono::seconds(10);
    Duration retry_delay_max = std::chrono::minutes(12);
    /// Between two walks over the copies that are kept for others; doubles while none may go.
    Duration kept_ask_first = std::chrono::seconds(2);
    Duration kept_ask_max = std::chrono::minutes(2);
    /// Where the daemon's list is sorted when it does not fit into memory; empty: the system's
    /// folder for temporary files.
    std::string temporary_folder;
};

/// What a status row says about the peer it comes from.
struct TrackerIdentity {
    std::string peername;
    IpfsId ipfs;
};

}  // namespace ipfscluster::tracker
