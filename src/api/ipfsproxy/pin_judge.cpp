#include "api/ipfsproxy/pin_judge.hpp"

#include <algorithm>

namespace ipfscluster::ipfsproxy {

PinVerdict judge_pin(const Pin& pin, const GlobalPinInfo& status) {
    std::size_t held = 0, working = 0, silent = 0, failed = 0;
    PinVerdict out;
    for (const auto& [peer, row] : status.peer_map) {
        // A peer that was told to leave such pins to the others says `remote`.
        const bool shall = pin.everywhere() ? row.status != TrackerStatus::remote
                                            : pin.allocations.empty() || pin.allocated_to(peer);
        if (!shall) continue;
        out.fetched_blocks += row.fetched_blocks;
        out.fetched_bytes += row.fetched_bytes;
        switch (row.status) {
            case TrackerStatus::pinned:
            case TrackerStatus::sharded:
                ++held;
                break;
            case TrackerStatus::cluster_error:
                ++silent;
                break;
            case TrackerStatus::pin_error:
            case TrackerStatus::unpin_error:
            case TrackerStatus::unexpectedly_unpinned:
                ++failed;
                out.why += (out.why.empty() ? "" : "; ") +
                           (row.peername.empty() ? peer.to_string() : row.peername) + ": " +
                           (row.error.empty() ? std::string(to_string(row.status)) : row.error);
                break;
            default:  // queued, being pinned, or not yet told
                ++working;
        }
    }
    const bool everywhere = pin.everywhere() || pin.allocations.empty();
    const std::size_t answering = held + working + failed;
    const std::size_t needed =
        everywhere ? std::max<std::size_t>(answering, 1)
                   : static_cast<std::size_t>(std::max(pin.options.replication_min, 1));
    // Of a pin everywhere, the silent ones are not counted on.
    const std::size_t hoped = everywhere ? (answering == 0 ? silent : 0) : silent;
    // A member that joined a moment ago and fetches what the others hold takes nothing away.
    out.maybe_held = everywhere ? (held > 0 && failed == 0) || (answering == 0 && silent > 0)
                                : held + silent >= needed;
    if (held >= needed)
        out.state = PinVerdict::State::held;
    else if (held + working + hoped < needed)
        out.state = PinVerdict::State::failed;
    else
        out.state = working > 0 ? PinVerdict::State::working : PinVerdict::State::waiting;
    if (out.state == PinVerdict::State::failed && out.why.empty())
        out.why = "no peer that shall hold it is known";
    return out;
}

}  // namespace ipfscluster::ipfsproxy
