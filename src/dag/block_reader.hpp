#pragma once
#include <vector>

#include "dag/block.hpp"
#include "runtime/async.hpp"

namespace ipfscluster::dag {

/// Where readers get blocks: a block store, the network, or both. Owned by the caller, outlives
/// every reader over it; called on the peer's strand.
class BlockReader {
 public:
    virtual ~BlockReader() = default;
    /// The block's bytes, known to match the CID; `not_found` when nobody has it.
    virtual Async<Bytes> read(Cid cid) = 0;
    /// A hint: these will be read soon, in this order. May do nothing; never waits.
    virtual void prefetch(const std::vector<Cid>& soon) { (void)soon; }
};

/// Children hinted ahead of the one being read.
inline constexpr std::size_t kReadAheadBlocks = 16;

}  // namespace ipfscluster::dag
