#include "blockstore/memory_block_store.hpp"

#include <fmt/format.h>

namespace ipfscluster::blockstore {
namespace {

struct MemorySource final : Source<BlockInfo> {
    explicit MemorySource(std::shared_ptr<MemoryBlockDisk> from) : disk(std::move(from)) {}
    Async<std::optional<BlockInfo>> next() override {
        for (auto it = disk->blocks.upper_bound(last); it != disk->blocks.end(); ++it) {
            if (!it->second.durable) continue;
            last = it->first;
            co_return std::optional<BlockInfo>(BlockInfo{
                last, static_cast<std::uint32_t>(it->second.data.size()), it->second.sequence});
        }
        co_return std::optional<BlockInfo>{};
    }
    std::shared_ptr<MemoryBlockDisk> disk;
    Bytes last;
};

}  // namespace

MemoryBlockStore::MemoryBlockStore(World& world, std::uint64_t storage_max,
                                   std::shared_ptr<MemoryBlockDisk> disk, std::string peer_name)
    : world_(world),
      storage_max_(storage_max),
      disk_(std::move(disk)),
      peer_name_(std::move(peer_name)) {}

Async<std::optional<Bytes>> MemoryBlockStore::get(Bytes multihash) {
    // Takes the time a disk takes, so that others get in between.
    std::function<void()> seek = [] {};
    auto waited = co_await world_.run_blocking(Pool::bulk, std::move(seek));
    ICL_CO_TRY(std::move(waited));
    const auto it = disk_->blocks.find(multihash);
    if (it == disk_->blocks.end()) co_return std::optional<Bytes>{};
    if (damaged_.contains(multihash)) co_return fail(Kind::corrupt, "damaged block in memory");
    co_return std::optional<Bytes>(it->second.data);
}

Async<std::optional<Bytes>> MemoryBlockStore::get_prefix(Bytes multihash, std::size_t max) {
    const auto it = disk_->blocks.find(multihash);
    if (it == disk_->blocks.end()) co_return std::optional<Bytes>{};
    co_return std::optional<Bytes>(it->second.data.substr(0, max));
}

Result<std::optional<std::uint32_t>> MemoryBlockStore::size(BytesView multihash) {
    const auto it = disk_->blocks.find(multihash);
    if (it == disk_->blocks.end()) return std::optional<std::uint32_t>{};
    return std::optional<std::uint32_t>(static_cast<std::uint32_t>(it->second.data.size()));
}

Error MemoryBlockStore::disk_full() const {
    return {
        Kind::disk_full,
        fmt::format("disk full on {}: the block store holds {} of at most {} bytes (storage_max)",
                    peer_name_, disk_->bytes, storage_max_)};
}

Result<> MemoryBlockStore::check_space() {
    if (storage_max_ != 0 && disk_->bytes >= storage_max_) return fail(disk_full());
    return ok();
}

Async<> MemoryBlockStore::put(std::vector<dag::Block> blocks) {
    for (auto& block : blocks) {
        ICL_CO_TRY(const bool held, touch(block.cid.multihash()));
        if (held) continue;
        if (storage_max_ != 0 && disk_->bytes + block.data.size() > storage_max_)
            co_return fail(disk_full());
        disk_->bytes += block.data.size();
        disk_->blocks[Bytes(block.cid.multihash())] = {std::move(block.data), disk_->sequence++,
                                                       false};
    }
    co_return ok();
}

Async<> MemoryBlockStore::sync(std::uint64_t epoch) {
    if (losses_ != epoch) co_return fail(last_loss_);
    std::function<void()> work = [disk = disk_, upto = disk_->sequence] {
        for (auto& [multihash, entry] : disk->blocks) {
            if (entry.sequence < upto) entry.durable = true;
        }
    };
    auto waited = co_await world_.run_blocking(Pool::bulk, std::move(work));
    ICL_CO_TRY(std::move(waited));
    if (losses_ != epoch) co_return fail(last_loss_);
    co_return ok();
}

Result<bool> MemoryBlockStore::touch(BytesView multihash) {
    const auto it = disk_->blocks.find(multihash);
    if (it == disk_->blocks.end()) return false;
    it->second.sequence = disk_->sequence++;
    return true;
}

Result<> MemoryBlockStore::forget(BytesView multihash) {
    const auto it = disk_->blocks.find(multihash);
    if (it == disk_->blocks.end()) return ok();
    disk_->bytes -= it->second.data.size();
    disk_->blocks.erase(it);
    damaged_.erase(Bytes(multihash));
    return ok();
}

SourcePtr<BlockInfo> MemoryBlockStore::list() {
    return std::make_unique<MemorySource>(disk_);
}

BlockStat MemoryBlockStore::stat() const {
    return {disk_->blocks.size(), disk_->bytes, disk_->bytes, storage_max_};
}

Result<SweepStep> MemoryBlockStore::sweep(Bytes after, std::uint64_t before, const KeepBlock& keep,
                                          std::size_t limit) {
    SweepStep step;
    auto it = disk_->blocks.upper_bound(after);
    for (std::size_t looked = 0; looked < limit && it != disk_->blocks.end(); ++looked) {
        const auto at = it++;
        step.last = at->first;
        if (!at->second.durable || at->second.sequence >= before) continue;
        ICL_TRY(const bool kept, keep(at->first));
        if (kept) continue;
        const auto bytes = static_cast<std::uint32_t>(at->second.data.size());
        step.removed.push_back({at->first, bytes, at->second.sequence});
        disk_->bytes -= bytes;
        disk_->blocks.erase(at);
    }
    step.done = it == disk_->blocks.end();
    return step;
}

Async<std::uint64_t> MemoryBlockStore::compact() {
    co_return std::uint64_t{0};
}

Async<> MemoryBlockStore::close() {
    co_return ok();
}

void MemoryBlockStore::drop_unsynced() {
    for (auto it = disk_->blocks.begin(); it != disk_->blocks.end();) {
        if (it->second.durable) {
            ++it;
            continue;
        }
        disk_->bytes -= it->second.data.size();
        it = disk_->blocks.erase(it);
    }
}

void MemoryBlockStore::crash() {
    drop_unsynced();
    disk_ = std::make_shared<MemoryBlockDisk>(*disk_);
}

void MemoryBlockStore::lose_unsynced(Error cause) {
    ++losses_;
    last_loss_ = std::move(cause);
    drop_unsynced();
}

void MemoryBlockStore::damage(BytesView multihash) {
    damaged_[Bytes(multihash)] = true;
}

}  // namespace ipfscluster::blockstore
