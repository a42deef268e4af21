#pragma once
#include <cstddef>

namespace ipfscluster::cluster {

/// Rows between two turns of the strand in a walk over the pinset.
inline constexpr std::size_t kWalkYieldRows = 256;

}  // namespace ipfscluster::cluster
