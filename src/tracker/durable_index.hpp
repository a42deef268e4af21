#pragma once
#include "runtime/signal.hpp"
#include "runtime/world.hpp"
#include "storage/store.hpp"

namespace ipfscluster::tracker {

/// Up to which modification index the pins that were read are on our disk. A pin is told only once
/// the operation that asked for it is there. Else a power cut could take that back, a snapshot
/// could lead past it, and the daemon would keep what no row, old or new, ever asks to remove. (An
/// unpin told too early is repeated or overruled by what comes back.) Owned by the tracker; one
/// strand; errors of the store are passed on.
class DurableIndex {
 public:
    DurableIndex(World& world, storage::Store& store) : store_(store), synced_(world.executor()) {}

    /// A pin with this index was read.
    void saw(std::uint64_t index) { seen_ = std::max(seen_, index); }
    bool covers(std::uint64_t index) const { return index <= durable_; }
    /// One sync serves all who wait, and everything read before it.
    Async<> reach(std::uint64_t index);

 private:
    storage::Store& store_;
    std::uint64_t seen_ = 0;
    std::uint64_t durable_ = 0;  ///< never more than `seen_`
    bool syncing_ = false;
    Signal synced_;
};

}  // namespace ipfscluster::tracker
