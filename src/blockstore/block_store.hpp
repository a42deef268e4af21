#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "dag/block.hpp"
#include "runtime/async.hpp"
#include "runtime/source.hpp"

namespace ipfscluster::blockstore {

/// One stored block, as lists and sweeps see it.
struct BlockInfo {
    Bytes multihash;
    std::uint32_t size = 0;      ///< bytes of data
    std::uint64_t sequence = 0;  ///< when it was written or last touched, see BlockStore
};

struct BlockStat {
    std::uint64_t blocks = 0;
    std::uint64_t data_bytes = 0;   ///< sum of the blocks' data
    std::uint64_t disk_bytes = 0;   ///< what the store takes on the disk, waste included
    std::uint64_t storage_max = 0;  ///< most it can take, by its limit and by the disk; 0: no limit
};

/// Says whether the sweep must keep an old block.
using KeepBlock = std::function<Result<bool>(BytesView multihash)>;

struct SweepStep {
    std::vector<BlockInfo> removed;
    Bytes last;  ///< pass as `after` of the next step
    bool done = false;
};

/// Blocks by multihash (so v0 and v1 CIDs of the same bytes are one block). Each write or touch
/// gives the block the next sequence number; garbage collection and leases compare those. Twins:
/// SegmentStore (disk) and MemoryBlockStore. Owned by main or the test, outlives its users. One
/// strand; awaited functions may be cancelled unless said otherwise.
class BlockStore {
 public:
    virtual ~BlockStore() = default;

    /// The data; nothing when not held; `corrupt` when what is stored is damaged (then `forget`
    /// it).
    virtual Async<std::optional<Bytes>> get(Bytes multihash) = 0;
    /// The first bytes of a block, at most `max`, without checking the rest.
    virtual Async<std::optional<Bytes>> get_prefix(Bytes multihash, std::size_t max) = 0;
    /// Size of the data; nothing when not held.
    virtual Result<std::optional<std::uint32_t>> size(BytesView multihash) = 0;
    Result<bool> has(BytesView multihash) {
        ICL_TRY(auto found, size(multihash));
        return found.has_value();
    }

    /// Looks at the disk: `disk_full` naming the peer when nothing new may begin. Called before new
    /// work, and before unpins and collections (which go on all the same), because it makes room
    /// for them if need be.
    virtual Result<> check_space() = 0;
    /// Stores blocks whose CIDs the caller has verified: readable when this returns, durable only
    /// after `sync`. Blocks held already are touched instead. `disk_full` names the peer; nothing
    /// of the call counts as stored then.
    virtual Async<> put(std::vector<dag::Block> blocks) = 0;
    /// Grows by one whenever written blocks were lost before they became durable (disk full, I/O
    /// error).
    virtual std::uint64_t loss_epoch() const = 0;
    /// Returns once everything put and touched so far is durable. Fails with the loss's cause when
    /// blocks put since `epoch` (what loss_epoch() said before the first put) were lost.
    virtual Async<> sync(std::uint64_t epoch) = 0;

    /// The number the next write or touch gets; never goes back, also over restarts.
    virtual std::uint64_t next_sequence() const = 0;
    /// Gives a held block the next number; false when it is not held.
    virtual Result<bool> touch(BytesView multihash) = 0;
    /// Drops a block that was found damaged.
    virtual Result<> forget(BytesView multihash) = 0;

    /// Durable blocks in multihash order.
    virtual SourcePtr<BlockInfo> list() = 0;
    virtual BlockStat stat() const = 0;

    /// Looks at the next `limit` durable blocks after `after` and drops those that are older than
    /// `before` and that `keep` does not want. Runs without a wait, so nothing changes between the
    /// question and the removal.
    virtual Result<SweepStep> sweep(Bytes after, std::uint64_t before, const KeepBlock& keep,
                                    std::size_t limit) = 0;
    /// Gives the space of dropped blocks back to the disk; returns the bytes freed.
    virtual Async<std::uint64_t> compact() = 0;

    /// Makes everything durable and stops. Nothing may be called afterwards.
    virtual Async<> close() = 0;
};

}  // namespace ipfscluster::blockstore
