#pragma once
#include <cstdint>

namespace ipfscluster::state {

/// What this build understands in the log: an entry says which level its readers need. Raised with
/// each kind of operation, or meaning of one, that is new. 1: cordons.
inline constexpr std::uint32_t kFeatureLevel = 1;
/// What every build understands that these peers' streams let in. A cluster begins with it: its
/// founders, which may be of different builds, have to write the same.
inline constexpr std::uint32_t kFoundingFeatureLevel = 1;

}  // namespace ipfscluster::state
