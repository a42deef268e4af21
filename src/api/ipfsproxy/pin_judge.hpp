#pragma once
#include <string>

#include "model/pin.hpp"
#include "model/status.hpp"

namespace ipfscluster::ipfsproxy {

/// What the peers' reports about one pin add up to.
struct PinVerdict {
    enum class State {
        held,     ///< enough peers hold it
        working,  ///< not yet, and a peer that shall hold it is at it
        waiting,  ///< not yet, and it hangs on peers that do not answer
        failed,   ///< too few peers can still come to hold it
    } state = State::waiting;
    /// Nobody may say that it is not held: enough peers hold it if those that do not answer do; of
    /// a pin everywhere, one holds it and none has failed.
    bool maybe_held = false;
    /// What the peers that shall hold it have fetched so far, together.
    std::uint64_t fetched_blocks = 0, fetched_bytes = 0;
    std::string why;  ///< of `failed`: each peer and its error
};

/// Enough is `replication_min`; of a pin everywhere it is every peer that answers, and at least
/// one. Pure.
PinVerdict judge_pin(const Pin& pin, const GlobalPinInfo& status);

}  // namespace ipfscluster::ipfsproxy
