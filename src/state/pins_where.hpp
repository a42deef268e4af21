#pragma once
#include <functional>

#include "runtime/source.hpp"
#include "state/state.hpp"

namespace ipfscluster::state {

/// The pins of the pinset that `wanted` says yes to, in the order of CID bytes; frozen when it is
/// made. One strand; ends before State does.
SourcePtr<Pin> pins_where(State& pinset, std::function<bool(const Pin&)> wanted);

}  // namespace ipfscluster::state
