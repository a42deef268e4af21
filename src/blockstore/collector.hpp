#pragma once
#include <functional>
#include <map>

#include "blockstore/block_store.hpp"
#include "blockstore/lease_table.hpp"
#include "blockstore/pin_table.hpp"
#include "blockstore/spill_stack.hpp"
#include "runtime/signal.hpp"
#include "runtime/source.hpp"

namespace ipfscluster::blockstore {

/// Blocks one sweep step looks at.
inline constexpr std::size_t kSweepRows = 256;

/// Garbage collection: marks on disk everything pins reach, then sweeps blocks that are older than
/// its start, not marked and not leased, then gives the space back. Owned by the embedded node,
/// outlives the sources it hands out; one strand.
///
/// `wanted` names what is to be pinned here and is not completely: what is held of it is kept as
/// well.
///
/// Whoever relies on a block that is held already (a pin under way) registers its pin before its
/// walk and touches each block it meets while `running`. Then each block of the pin was met by the
/// mark of a run that started later, or touched during the run.
class Collector {
 public:
    using Wanted = std::function<SourcePtr<PinRecord>()>;

    Collector(World& world, BlockStore& blocks, storage::Store& rows, PinTable& pins,
              LeaseTable& leases, Wanted wanted = {});

    /// True from the start of a run's mark until its sweep is over.
    bool running() const { return running_; }
    /// A run that goes on as its items (the removed blocks) are pulled; waits for an earlier run to
    /// end. Ends with an error that names it, having removed nothing, when a block of a complete
    /// pin that may have links cannot be read. Space is returned before the end is reported.
    SourcePtr<BlockInfo> run();

 private:
    class Run;
    Async<> mark_all();
    Async<> mark_pin(PinRecord pin);
    /// Down to which depth a block was followed; nothing when it was not met.
    Result<std::optional<std::uint32_t>> mark_of(BytesView multihash);
    Result<> mark(BytesView multihash, std::uint32_t depth);
    /// `may_miss`: a block that is missing, damaged or without sense counts as one without links.
    Async<std::vector<Cid>> links(Cid cid, bool may_miss);
    Async<std::vector<Cid>> read_links(Cid cid, bool may_miss);
    Result<> flush_marks();
    Result<> clear_marks();

    World& world_;
    BlockStore& blocks_;
    storage::Store& rows_;
    PinTable& pins_;
    LeaseTable& leases_;
    Wanted wanted_;
    SpillStack stack_;
    std::map<Bytes, std::uint32_t, std::less<>> fresh_;  // marks not yet written
    std::uint64_t met_ = 0;
    bool running_ = false;
    bool busy_ = false;  // a run exists
    Signal idle_;
};

}  // namespace ipfscluster::blockstore
