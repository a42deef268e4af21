#pragma once
#include "runtime/source.hpp"
#include "state/state.hpp"

namespace ipfscluster::tracker {

/// The pins of the pinset that this peer is to hold, whether it does so yet or not, in the order of
/// CID bytes; frozen when it is made. What their items reach must not be collected while they wait
/// for their turn. One strand; ends before State does.
SourcePtr<Pin> pins_to_hold(state::State& pinset);

}  // namespace ipfscluster::tracker
