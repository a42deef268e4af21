#pragma once
#include <vector>

#include "dag/block.hpp"

namespace ipfscluster::dag {

/// The links of a block of any codec we know (dag-pb, raw, dag-cbor, dag-json), in order. `corrupt`
/// when it does not decode, `unsupported` for another codec.
Result<std::vector<Cid>> child_links(const Cid& cid, BytesView block);

}  // namespace ipfscluster::dag
