#pragma once
#include "multi/cid.hpp"

namespace ipfscluster::node {

/// ok when bytes that are said to be the block of `cid` can be checked. Else `unsupported` naming
/// the hash function: no peer's answer could be taken, so asking for the block is in vain.
Result<> check_hash(const Cid& cid);

}  // namespace ipfscluster::node
