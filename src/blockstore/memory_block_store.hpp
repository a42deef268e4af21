#pragma once
#include <map>

#include "blockstore/block_store.hpp"
#include "runtime/world.hpp"

namespace ipfscluster::blockstore {

/// What survives of a MemoryBlockStore when its peer goes: the simulated disk, held by the test.
struct MemoryBlockDisk {
    struct Entry {
        Bytes data;
        std::uint64_t sequence = 0;
        bool durable = false;
    };
    std::map<Bytes, Entry, std::less<>> blocks;
    std::uint64_t sequence = 1;
    std::uint64_t bytes = 0;
};

/// The in-memory twin of SegmentStore for simulations and tests. Owned by the test, outlives its
/// users.
class MemoryBlockStore final : public BlockStore {
 public:
    explicit MemoryBlockStore(
        World& world, std::uint64_t storage_max = 0,
        std::shared_ptr<MemoryBlockDisk> disk = std::make_shared<MemoryBlockDisk>(),
        std::string peer_name = "this peer");

    Async<std::optional<Bytes>> get(Bytes multihash) override;
    Async<std::optional<Bytes>> get_prefix(Bytes multihash, std::size_t max) override;
    Result<std::optional<std::uint32_t>> size(BytesView multihash) override;
    Result<> check_space() override;
    Async<> put(std::vector<dag::Block> blocks) override;
    std::uint64_t loss_epoch() const override { return losses_; }
    Async<> sync(std::uint64_t epoch) override;
    std::uint64_t next_sequence() const override { return disk_->sequence; }
    Result<bool> touch(BytesView multihash) override;
    Result<> forget(BytesView multihash) override;
    SourcePtr<BlockInfo> list() override;
    BlockStat stat() const override;
    Result<SweepStep> sweep(Bytes after, std::uint64_t before, const KeepBlock& keep,
                            std::size_t limit) override;
    Async<std::uint64_t> compact() override;
    Async<> close() override;

    /// The process dies now: blocks that were not synced are gone. A new store on `disk()` is the
    /// restart.
    void crash();
    /// Everything not durable is lost as after a failed write; open sessions must notice.
    void lose_unsynced(Error cause);
    /// Makes a block's stored bytes wrong, so that `get` finds it damaged.
    void damage(BytesView multihash);
    /// 0: any number of bytes.
    void set_storage_max(std::uint64_t bytes) { storage_max_ = bytes; }
    const std::shared_ptr<MemoryBlockDisk>& disk() const { return disk_; }

 private:
    void drop_unsynced();
    Error disk_full() const;

    World& world_;
    std::uint64_t storage_max_;
    std::shared_ptr<MemoryBlockDisk> disk_;
    std::string peer_name_;
    std::map<Bytes, bool, std::less<>> damaged_;
    std::uint64_t losses_ = 0;
    Error last_loss_;
};

}  // namespace ipfscluster::blockstore
