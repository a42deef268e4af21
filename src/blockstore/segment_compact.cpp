// Sweeping a SegmentStore and giving the space back.
#include "base/log.hpp"
#include "blockstore/segment_store.hpp"
#include "blockstore/yield.hpp"

namespace ipfscluster::blockstore {

Result<SweepStep> SegmentStore::sweep(Bytes after, std::uint64_t before, const KeepBlock& keep,
                                      std::size_t limit) {
    SweepStep step;
    auto from = row_key(kBlockRows, after);
    if (!after.empty()) from.push_back('\0');
    auto it = index_.iterate(kFamily, from, Bytes(1, static_cast<char>(kBlockRows + 1)));
    storage::Batch batch;
    auto state = state_;
    std::size_t looked = 0;
    for (; looked < limit; ++looked) {
        ICL_TRY(const bool more, it->next());
        if (!more) break;
        step.last = Bytes(it->key().substr(1));
        ICL_TRY(const auto row, decode_block_row(it->value()));
        if (row.sequence >= before || pending_.contains(step.last)) continue;
        ICL_TRY(const bool kept, keep(step.last));
        if (kept) continue;
        batch.del(kFamily, Bytes(it->key()));
        --state.blocks;
        state.data_bytes -= row.data_bytes;
        step.removed.push_back({step.last, row.data_bytes, row.sequence});
    }
    step.done = looked < limit;
    if (!step.removed.empty()) {
        std::swap(state_, state);
        put_state(batch);
        auto written = index_.write(std::move(batch));
        if (!written) {
            state_ = state;
            return fail(written.error());
        }
    }
    return step;
}

Async<std::map<std::uint32_t, std::uint64_t>> SegmentStore::live_bytes() {
    std::map<std::uint32_t, std::uint64_t> live;
    auto it =
        index_.iterate(kFamily, Bytes(1, kBlockRows), Bytes(1, static_cast<char>(kBlockRows + 1)));
    for (std::size_t rows = 1;; ++rows) {
        ICL_CO_TRY(const bool more, it->next());
        if (!more) break;
        ICL_CO_TRY(const auto row, decode_block_row(it->value()));
        live[row.at.segment] += record_bytes(it->key().size() - 1, row.data_bytes);
        if (rows % kYieldRows == 0) co_await yield_strand(world_);
    }
    co_return live;
}

Async<std::uint64_t> SegmentStore::move_live(std::uint32_t segment) {
    const auto epoch = log_.losses();
    ScanPlace place{kSegmentHeaderBytes, kSegmentHeaderBytes};
    std::uint64_t met = 0;
    while (true) {
        ICL_CO_TRY(co_await index_.room());
        ICL_CO_TRY(auto scan, co_await log_.scan(segment, place));
        for (auto& record : scan.records) {
            ICL_CO_TRY(co_await log_.room());
            ICL_CO_TRY(auto row, find(record.multihash));
            if (!row || row->at != record.at) continue;
            met += record_bytes(record.multihash.size(), record.data_bytes);
            row->at = log_.append(record.multihash, record.data);
            add_pending(record.multihash, *row);
            pending_[record.multihash].moved = true;
        }
        place = scan.next;
        if (scan.end) break;
    }
    ICL_CO_TRY(co_await sync(epoch));
    co_return met;
}

Async<bool> SegmentStore::empty_segment(std::uint32_t segment, std::uint64_t alive, bool grows) {
    if (alive == 0 && !grows) co_return true;
    ICL_CO_TRY(const auto met, co_await move_live(segment));
    if (met == alive && !grows) co_return true;
    // A scan steps over damage. What rows still place here may be read nevertheless, or once the
    // disk has recovered.
    ICL_CO_TRY(const auto left, co_await live_bytes());
    const auto found = left.find(segment);
    if (found == left.end()) co_return true;
    if (damaged_segments_.insert(segment).second)
        logger("blockstore")
            ->error(
                "a damaged segment is kept for the blocks that could not be moved segment={} "
                "bytes={}",
                segment_path(options_.folder, segment), found->second);
    co_return false;
}

Async<std::uint64_t> SegmentStore::compact() {
    ICL_CO_TRY(co_await sync(log_.losses()));
    // Whatever is appended from here on goes behind the segments looked at below.
    const auto newest = log_.durable().segment;
    ICL_CO_TRY(const auto live, co_await live_bytes());
    const std::uint64_t below =
        space_.tight(log_.disk_bytes()) ? kCompactBelowPercentTight : kCompactBelowPercent;
    std::vector<std::pair<std::uint64_t, std::uint32_t>> candidates;  // live bytes, segment
    for (const auto& [segment, bytes] : log_.segments()) {
        if (segment > newest) continue;
        const auto it = live.find(segment);
        const std::uint64_t alive = it == live.end() ? 0 : it->second;
        if (alive * 100 >= bytes * below) continue;
        if (segment == newest && bytes <= kSegmentHeaderBytes) continue;
        if (alive > 0 && damaged_segments_.contains(segment)) continue;
        candidates.emplace_back(alive, segment);
    }
    // Empty ones first: removing them needs no room and makes some.
    std::sort(candidates.begin(), candidates.end());
    std::uint64_t freed = 0;
    for (const auto& [alive, segment] : candidates) {
        if (!space_.may_move(alive)) break;
        if (log_.active() == segment) log_.roll();
        if (segment == newest) {
            ICL_CO_TRY(co_await log_.sync());
        }
        // The newest may have got blocks since it was looked at, when it was the active one.
        ICL_CO_TRY(const bool emptied, co_await empty_segment(segment, alive, segment == newest));
        if (!emptied) continue;
        // The rows must say so before the old place disappears.
        if (state_.end.segment == segment) {
            state_.end = {segment + 1, 0};
            storage::Batch batch;
            put_state(batch);
            ICL_CO_TRY(index_.write(std::move(batch)));
        }
        ICL_CO_TRY(co_await index_.sync());
        const auto size = log_.segments().find(segment);
        if (size == log_.segments().end()) continue;
        const auto bytes = size->second;
        ICL_CO_TRY(co_await log_.remove(segment));
        damaged_segments_.erase(segment);
        freed += bytes - std::min(bytes, alive);
    }
    logger("blockstore")->debug("segments rewritten count={} freed={}", candidates.size(), freed);
    co_return freed;
}

}  // namespace ipfscluster::blockstore
