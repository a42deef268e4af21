#pragma once
#include <string>

#include "base/result.hpp"

namespace ipfscluster::config {

/// The kind of consensus that `init` writes.
inline constexpr std::string_view kDefaultConsensus = "raft";
/// `unsupported` for CRDT, `invalid` for what is no kind of consensus.
Result<> check_kind_of_consensus(const std::string& kind);

}  // namespace ipfscluster::config
