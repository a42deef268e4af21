#pragma once
#include <optional>
#include <vector>

#include "dag/dag_walk.hpp"
#include "ipfs/node/node_parts.hpp"
#include "runtime/source.hpp"

namespace ipfscluster::node {

/// A block that a pin keeps although it is not the pin's own.
struct ReachedBlock {
    Cid root;  ///< of the pin
    Cid cid;
};

/// The blocks below the roots of the pins, pin by pin; one that stands in several places may come
/// more than once. Reads what is held, never the network. Owned by one request; one strand.
class ReachedBlocks final : public Source<ReachedBlock> {
 public:
    /// `incomplete`: also those of pins that are under way, as far as they have got. Else a missing
    /// block is `corrupt`.
    ReachedBlocks(const NodeParts& parts, bool incomplete)
        : parts_(parts), incomplete_(incomplete) {}
    Async<std::optional<ReachedBlock>> next() override;

 private:
    /// Begins with the next pin; false after the last.
    Result<bool> next_pin();
    Async<> expand(dag::DagWalk::Step step);
    Result<> follow(const dag::DagWalk::Step& step, BytesView data);

    NodeParts parts_;
    bool incomplete_;
    std::vector<blockstore::PinRecord> page_;
    std::size_t at_ = 0;
    bool last_page_ = false;
    blockstore::PinRecord pin_;
    std::optional<dag::DagWalk> walk_;
    std::size_t steps_ = 0;
};

}  // namespace ipfscluster::node
