#pragma once
#include "runtime/source.hpp"
#include "state/state.hpp"

namespace ipfscluster::tracker {

/// The pins of the pinset that this peer is to hold, whether it does so yet or not, and those it
/// keeps for others, in the order of CID bytes; frozen when it is made. What their items reach must
/// not be collected while they wait for their turn. One strand; ends before State and the store do.
SourcePtr<Pin> pins_to_hold(state::State& pinset, storage::Store& store);

}  // namespace ipfscluster::tracker
