#include "blockstore/segment_store.hpp"

#include "base/assert.hpp"
#include "base/log.hpp"
#include "blockstore/yield.hpp"

namespace ipfscluster::blockstore {
namespace {

constexpr std::size_t kRowsPerBatch = 1024;
const Bytes kStateKey = row_key(kStateRows, "log");

struct DurableSource final : Source<BlockInfo> {
    explicit DurableSource(std::unique_ptr<storage::Iterator> at) : it(std::move(at)) {}
    Async<std::optional<BlockInfo>> next() override {
        ICL_CO_TRY(const bool more, it->next());
        if (!more) co_return std::optional<BlockInfo>{};
        ICL_CO_TRY(const auto row, decode_block_row(it->value()));
        co_return std::optional<BlockInfo>(
            BlockInfo{Bytes(it->key().substr(1)), row.data_bytes, row.sequence});
    }
    std::unique_ptr<storage::Iterator> it;
};

}  // namespace

SegmentStore::SegmentStore(World& world, storage::Store& index, SegmentStoreOptions options,
                           std::uint64_t storage_max, std::uint64_t reserve)
    : world_(world),
      index_(index),
      options_(std::move(options)),
      space_(world, options_.folder, options_.peer_name, storage_max, reserve),
      log_(world, options_.folder, options_.segment_bytes, *this) {}

SegmentStore::~SegmentStore() = default;

Result<std::optional<BlockRow>> SegmentStore::find(BytesView multihash) {
    if (auto it = pending_.find(Bytes(multihash)); it != pending_.end()) return it->second.row;
    ICL_TRY(auto value, index_.get(kFamily, row_key(kBlockRows, multihash)));
    if (!value) return std::optional<BlockRow>{};
    ICL_TRY(auto row, decode_block_row(*value));
    return row;
}

Async<std::optional<Bytes>> SegmentStore::get(Bytes multihash) {
    // A second look covers a block that was moved to another segment in between.
    for (int look = 0;; ++look) {
        ICL_CO_TRY(const auto row, find(multihash));
        if (!row) co_return std::optional<Bytes>{};
        auto data = co_await log_.read(row->at, multihash, row->data_bytes);
        if (data) co_return std::optional<Bytes>(std::move(data).value());
        ICL_CO_TRY(const auto now, find(multihash));
        const bool moved = !now || now->at != row->at;
        if (moved && look < 3) continue;
        if (data.error().kind == Kind::not_found)
            co_return fail(Kind::corrupt,
                           "the segment of a block is missing: " + data.error().text);
        co_return fail(data.error());
    }
}

Async<std::optional<Bytes>> SegmentStore::get_prefix(Bytes multihash, std::size_t max) {
    ICL_CO_TRY(const auto row, find(multihash));
    if (!row) co_return std::optional<Bytes>{};
    auto data = co_await log_.read_prefix(row->at, multihash, row->data_bytes, max);
    if (data) co_return std::optional<Bytes>(std::move(data).value());
    co_return co_await get(std::move(multihash));
}

Result<std::optional<std::uint32_t>> SegmentStore::size(BytesView multihash) {
    ICL_TRY(const auto row, find(multihash));
    if (!row) return std::optional<std::uint32_t>{};
    return std::optional<std::uint32_t>(row->data_bytes);
}

Result<> SegmentStore::check_space() {
    return space_.check(log_.disk_bytes());
}

void SegmentStore::add_pending(Bytes multihash, const BlockRow& row) {
    pending_order_.emplace_back(multihash, row.at);
    pending_bytes_ += row.data_bytes;
    pending_[std::move(multihash)].row = row;
}

Result<> SegmentStore::put_one(const dag::Block& block) {
    const auto multihash = block.cid.multihash();
    ICL_TRY(const bool held, touch(multihash));
    if (held) return ok();
    if (block.data.size() > dag::kBlockBytesMax)
        return fail(Kind::invalid, "block " + block.cid.to_string() + " has " +
                                       std::to_string(block.data.size()) + " bytes, at most " +
                                       std::to_string(dag::kBlockBytesMax) + " are allowed");
    if (multihash.size() > kRecordHashBytesMax)
        return fail(Kind::invalid,
                    "the multihash of block " + block.cid.to_string() + " is too long");
    ICL_TRY(space_.admit(log_.disk_bytes(), record_bytes(multihash.size(), block.data.size())));
    const auto at = log_.append(multihash, block.data);
    add_pending(Bytes(multihash),
                {at, static_cast<std::uint32_t>(block.data.size()), state_.sequence++});
    return ok();
}

Async<> SegmentStore::put(std::vector<dag::Block> blocks) {
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        if (broken_) co_return fail(*broken_);
        while (pending_.size() >= 2 * kPendingBlocksMax) {
            ICL_CO_TRY(co_await log_.sync());
        }
        ICL_CO_TRY(co_await log_.room());
        if (i % kYieldRows == 0) {
            ICL_CO_TRY(co_await index_.room());
        }
        ICL_CO_TRY(put_one(blocks[i]));
        blocks[i].data = Bytes();
        if ((pending_.size() >= kPendingBlocksMax || pending_bytes_ >= kPendingBytesMax) &&
            !log_.sync_requested())
            log_.request_sync();
        if (i % kYieldRows == kYieldRows - 1) co_await yield_strand(world_);
    }
    co_return ok();
}

Async<> SegmentStore::sync(std::uint64_t epoch) {
    if (broken_) co_return fail(*broken_);
    auto synced = co_await log_.sync();
    if (synced && log_.losses() != epoch) synced = fail(log_.last_loss());
    if (!synced) {
        const auto& error = synced.error();
        if (error.kind == Kind::disk_full) co_return fail(space_.disk_full(error.text));
        co_return fail(error);
    }
    if (index_dirty_) {
        index_dirty_ = false;
        auto written = co_await index_.sync();
        if (!written) {
            index_dirty_ = true;
            co_return fail(written.error());
        }
    }
    co_return ok();
}

Result<bool> SegmentStore::touch(BytesView multihash) {
    if (auto it = pending_.find(Bytes(multihash)); it != pending_.end()) {
        it->second.row.sequence = state_.sequence++;
        return true;
    }
    ICL_TRY(auto row, find(multihash));
    if (!row) return false;
    row->sequence = state_.sequence++;
    storage::Batch batch;
    batch.put(kFamily, row_key(kBlockRows, multihash), encode_block_row(*row));
    put_state(batch);
    ICL_TRY(index_.write(std::move(batch)));
    index_dirty_ = true;
    return true;
}

Result<> SegmentStore::forget(BytesView multihash) {
    if (pending_.contains(Bytes(multihash))) return ok();  // still in memory or just written
    ICL_TRY(const auto row, find(multihash));
    if (!row) return ok();
    storage::Batch batch;
    batch.del(kFamily, row_key(kBlockRows, multihash));
    --state_.blocks;
    state_.data_bytes -= row->data_bytes;
    put_state(batch);
    return index_.write(std::move(batch));
}

void SegmentStore::put_state(storage::Batch& batch) const {
    batch.put(kFamily, kStateKey, encode_log_state(state_));
}

Async<> SegmentStore::on_durable(Position end) {
    while (!pending_order_.empty() && pending_order_.front().second < end) {
        storage::Batch batch;
        auto state = state_;
        std::size_t rows = 0;
        for (; rows < kRowsPerBatch && rows < pending_order_.size(); ++rows) {
            const auto& [multihash, at] = pending_order_[rows];
            if (at >= end) break;
            const auto& pending = pending_.at(multihash);
            batch.put(kFamily, row_key(kBlockRows, multihash), encode_block_row(pending.row));
            state.end = {at.segment,
                         at.offset + record_bytes(multihash.size(), pending.row.data_bytes)};
            if (pending.moved) continue;
            ++state.blocks;
            state.data_bytes += pending.row.data_bytes;
        }
        std::swap(state_, state);
        put_state(batch);
        auto written = index_.write(std::move(batch));
        if (!written) {
            state_ = state;
            broken_ = written.error().in("the block index cannot be written");
            logger("blockstore")
                ->critical("the block index cannot be written error=\"{}\"", written.error().text);
            co_return fail(*broken_);
        }
        for (; rows > 0; --rows) {
            auto it = pending_.find(pending_order_.front().first);
            pending_bytes_ -= it->second.row.data_bytes;
            pending_.erase(it);
            pending_order_.pop_front();
        }
        co_await yield_strand(world_);
    }
    co_return ok();
}

void SegmentStore::on_lost(Position from, const Error&) {
    while (!pending_order_.empty() && pending_order_.back().second >= from) {
        auto it = pending_.find(pending_order_.back().first);
        pending_bytes_ -= it->second.row.data_bytes;
        pending_.erase(it);
        pending_order_.pop_back();
    }
}

SourcePtr<BlockInfo> SegmentStore::list() {
    return std::make_unique<DurableSource>(
        index_.iterate(kFamily, Bytes(1, kBlockRows), Bytes(1, static_cast<char>(kBlockRows + 1))));
}

BlockStat SegmentStore::stat() const {
    BlockStat stat{state_.blocks, state_.data_bytes, log_.disk_bytes(),
                   space_.storage_max(log_.disk_bytes())};
    for (const auto& [multihash, pending] : pending_) {
        if (pending.moved) continue;
        ++stat.blocks;
        stat.data_bytes += pending.row.data_bytes;
    }
    return stat;
}

Async<> SegmentStore::close() {
    auto closed = co_await log_.close();
    auto synced = co_await index_.sync();
    ICL_CO_TRY(std::move(closed));
    co_return synced;
}

}  // namespace ipfscluster::blockstore
