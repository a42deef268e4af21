#pragma once
#include <functional>
#include <optional>
#include <vector>

#include "component/allocator.hpp"
#include "model/pin_operation.hpp"
#include "model/status.hpp"
#include "state/state.hpp"

namespace ipfscluster::cluster {

/// What a peer adds to a request that leaves things open.
struct PinDefaults {
    int replication_min = -1;
    int replication_max = -1;
};

/// What the planner decided: the operation to commit, and whether peers must be chosen for its pin
/// first.
struct PinPlan {
    PinOperation operation;  ///< expects what `current` is
    bool allocate = false;
    std::optional<state::StoredPin> current;  ///< what the plan was made on
};

/// Merges a wished pin with the one in the pinset by the rules of reference/internals 7.1:
/// defaults, factor checks, expiry in the future, no change of type, no recursive to direct. Pure.
/// `wish.allocations` non-empty means the caller has chosen.
Result<PinPlan> plan_pin(Pin wish, std::optional<state::StoredPin> existing,
                         const PinDefaults& defaults, Time now);

/// `pin-update`: the pin `from` under a new CID. `not_found` when it is absent, `invalid` when it
/// is no plain pin. Pure.
Result<PinPlan> plan_pin_update(const Pin& wish, const std::optional<state::StoredPin>& from,
                                std::optional<state::StoredPin> existing, Time now);

/// The removal of content as a user asks for it: `not_found` when it is absent, `invalid` for the
/// parts of sharded content, which go with their root. Pure.
Result<PinPlan> plan_unpin(std::optional<state::StoredPin> existing);

/// The removal of `stored`, whatever it is. Pure.
PinPlan removal_of(state::StoredPin stored);

using PeerTest = std::function<bool(const PeerId&)>;

/// Whether a pin must get new peers: a holder `goes` (it has left the cluster, or its pins move),
/// or holders are in `dead` and fewer than the minimum of live ones remain. Pure.
bool needs_repin(const Pin& pin, const std::vector<PeerId>& dead, const PeerTest& goes);

/// Whether every holder of `pin` that has not `left` is in `dead`, and there is one. Pure.
bool all_holders_dead(const Pin& pin, const std::vector<PeerId>& dead, const PeerTest& left);

/// Whether by what the members say one of them has the item: pinned, or kept until others have it.
/// Pure.
bool copy_lives(const GlobalPinInfo& said);

/// The wish that gives a stored pin new peers and changes nothing else. Pure.
Pin repin_wish(Pin stored);

}  // namespace ipfscluster::cluster
