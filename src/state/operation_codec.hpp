#pragma once
#include <vector>

#include "state/state.hpp"

namespace ipfscluster::state {

/// The operations of one log entry where they stand, without a copy of each.
Bytes encode_operations(const std::vector<const LoggedOperation*>& operations);

}  // namespace ipfscluster::state
