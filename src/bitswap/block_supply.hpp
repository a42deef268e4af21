#pragma once
#include <optional>

#include "multi/cid.hpp"
#include "runtime/async.hpp"

namespace ipfscluster::bitswap {

/// The blocks a peer serves to others. Implemented over a block store; outlives bitswap; one
/// strand.
class BlockSupply {
 public:
    virtual ~BlockSupply() = default;
    /// Size of a block; nothing when it is not held.
    virtual Result<std::optional<std::uint32_t>> size(const Cid& cid) = 0;
    virtual Async<std::optional<Bytes>> get(Cid cid) = 0;
};

}  // namespace ipfscluster::bitswap
