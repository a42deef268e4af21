#pragma once
#include <functional>
#include <vector>

#include "model/status.hpp"
#include "runtime/async.hpp"

namespace ipfscluster::tracker {

/// What the tracker asks of the cluster above it before it lets go of a copy that it keeps for
/// others. Whoever composes the peer fills it in; all of it outlives the tracker's `stop`.
struct HolderQuestions {
    std::function<std::vector<PeerId>()> members;
    std::function<bool(const PeerId&)> alive;
    /// Whether a member holds the pins that every peer holds; without it each does.
    std::function<bool(const PeerId&)> holds_all;
    /// PinTracker.Status of that peer, which asks its daemon before it says `pinned`.
    std::function<Async<PinInfo>(PeerId, Cid)> status;
};

}  // namespace ipfscluster::tracker
