#pragma once
#include <cstdint>
#include <string>

#include "base/time.hpp"
#include "multi/peer_id.hpp"

namespace ipfscluster {

/// Something a peer says of itself for a while ("ping", "freespace", "tag:group" …).
struct Metric {
    std::string name;
    PeerId peer;
    std::string value;
    Time expire = kTimeUnset;  ///< by the sender's clock: tells that clock, never used for liveness
    bool valid = false;
    std::int64_t weight = 0;
    bool partitionable = false;
    Time received_at = kTimeUnset;  ///< our wall clock
};

/// A metric that has failed and when that was noticed; or, with `metric.expire` unset, something
/// else an operator should see, which `metric.value` says in words.
struct Alert {
    Metric metric;
    Time triggered_at = kTimeUnset;
};

}  // namespace ipfscluster
