#pragma once
#include <cstdint>
#include <set>
#include <vector>

#include "component/membership.hpp"
#include "model/status.hpp"
#include "runtime/source.hpp"
#include "runtime/world.hpp"
#include "state/state.hpp"

namespace ipfscluster::cluster {

/// Whether the item of `row` would be left without a copy that anybody knows of once `leaver` is
/// gone: nobody else of `members` says that it has it, and `leaver` has it or may have it. What
/// failed everywhere has nothing to lose. `row` has the word of all members. Pure.
bool removal_loses(const GlobalPinInfo& row, const PeerId& leaver, const std::set<PeerId>& members);

/// Those of `members` that are not about to leave themselves: two that go at once must not count on
/// each other.
std::set<PeerId> who_stays(component::Membership& membership, const std::vector<PeerId>& members);

/// What the removal of a peer would lose.
struct RemovalLoss {
    std::uint64_t items = 0;
    Cid example;                 ///< one of them
    bool below_minimum = false;  ///< not the last copy of them, but one of too few
};

/// Counts what would be lost over the whole pinset. `rows` are the statuses of all members; their
/// error, which says that a member's word is missing from some point on, is the answer then.
/// Constant memory; lets others run every `kWalkYieldRows` rows. One strand.
Async<RemovalLoss> count_removal_loss(World& world, SourcePtr<GlobalPinInfo> rows, PeerId leaver,
                                      std::set<PeerId> members);

/// Whether fewer than `needed` members other than `leaver` say that they have the item of `row`.
/// What `leaver` has no copy of does not count, unless it is `silent` and nobody can know. Pure.
bool removal_lacks(const GlobalPinInfo& row, const PeerId& leaver, const std::set<PeerId>& members,
                   std::size_t needed, bool silent);

/// How many others must have a pin before a peer may go: its minimum; of a pin that every peer
/// holds, one. Pure.
std::size_t needed_elsewhere(const Pin& pin);

/// Counts the items that would be left with fewer copies than their minimum; otherwise as
/// `count_removal_loss`.
Async<RemovalLoss> count_removal_lack(World& world, state::State& pinset,
                                      SourcePtr<GlobalPinInfo> rows, PeerId leaver,
                                      std::set<PeerId> members, bool silent);

}  // namespace ipfscluster::cluster
