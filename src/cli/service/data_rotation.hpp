#pragma once
#include <cstdint>
#include <string>

#include "base/result.hpp"

namespace ipfscluster::service {

/// Moves `folder` to `<folder>.old.0` and the ones before it one number up; at most `keep` of them
/// stay, the oldest is removed. Nobody may work in the folder. `denied` with what could not be
/// moved.
Result<> rotate_data(const std::string& folder, std::int64_t keep);

}  // namespace ipfscluster::service
