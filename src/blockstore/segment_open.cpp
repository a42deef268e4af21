// Opening a SegmentStore: replaying the tail of the log, rebuilding a lost index.
#include "base/log.hpp"
#include "blockstore/segment_store.hpp"
#include "blockstore/yield.hpp"

namespace ipfscluster::blockstore {
namespace {

/// Added to the sequence at each open, so that numbers used after the last durable state stay
/// unique.
constexpr std::uint64_t kSequenceStep = 1ull << 32;

/// The sizes of the segments, all of them on the disk: an earlier process may have died between
/// writing to the newest and syncing it, and what is read again from there counts as durable.
Result<std::map<std::uint32_t, std::uint64_t>> settle_segments(const std::string& folder) {
    ICL_TRY(const auto numbers, list_segments(folder));
    if (!numbers.empty()) {
        ICL_TRY(const auto newest, SegmentFile::open(folder, numbers.back(), true));
        ICL_TRY(newest->sync());
    }
    ICL_TRY(sync_folder(folder));
    std::map<std::uint32_t, std::uint64_t> sizes;
    for (const auto number : numbers) {
        ICL_TRY(const auto file, SegmentFile::open(folder, number, false));
        ICL_TRY(sizes[number], file->size());
    }
    return sizes;
}

}  // namespace

Async<std::unique_ptr<SegmentStore>> SegmentStore::open(World& world, storage::Store& index,
                                                        SegmentStoreOptions options) {
    // Makes the folder, without which the disk cannot be asked.
    auto list_work = [folder = options.folder] { return list_segments(folder); };
    auto listed = co_await offload(world, std::move(list_work));
    ICL_CO_TRY(std::move(listed));
    ICL_CO_TRY(const auto disk, disk_space(options.folder));
    const auto storage_max = options.storage_max.value_or(default_storage_max(disk));
    const auto reserve = options.reserve.value_or(default_reserve(disk));
    std::unique_ptr<SegmentStore> store(
        new SegmentStore(world, index, std::move(options), storage_max, reserve));
    if (auto space = store->check_space(); !space)
        logger("blockstore")->warn("{}", space.error().text);
    auto loaded = co_await store->load();
    if (!loaded) co_return fail(loaded.error().in("block store " + store->options_.folder));
    co_return store;
}

Async<> SegmentStore::load() {
    // Before any row is written, so that the index is never ahead of the log.
    auto settle_work = [folder = options_.folder] { return settle_segments(folder); };
    auto sized = co_await offload(world_, std::move(settle_work));
    ICL_CO_TRY(auto sizes, std::move(sized));

    ICL_CO_TRY(const auto value, index_.get(kFamily, row_key(kStateRows, "log")));
    if (value) {
        ICL_CO_TRY(state_, decode_log_state(*value));
    }
    const auto at = sizes.find(state_.end.segment);
    const bool fits = state_.end.offset == 0 ||
                      (at != sizes.end() && at->second >= state_.end.offset) ||
                      (state_.blocks == 0 && sizes.empty());
    rebuilt_ = (!value && !sizes.empty()) || !fits;
    if (rebuilt_) {
        logger("blockstore")
            ->warn(
                "the block index is missing or does not fit, it is built anew folder={} "
                "segments={}",
                options_.folder, sizes.size());
        storage::Batch batch;
        batch.del_range(kFamily, Bytes(1, kBlockRows), Bytes(1, static_cast<char>(kBlockRows + 1)));
        state_ = {};
        put_state(batch);
        ICL_CO_TRY(index_.write(std::move(batch)));
    }
    state_.sequence += kSequenceStep;

    std::optional<Position> end;
    for (const auto& [segment, bytes] : sizes) {
        if (segment < state_.end.segment) continue;
        const auto from = segment == state_.end.segment ? state_.end.offset : 0;
        const bool newest = segment == sizes.rbegin()->first;
        if (newest && bytes < kSegmentHeaderBytes && from == 0) {
            // Died between making the file and writing its first bytes: it never held anything.
            auto remove_work = [folder = options_.folder, number = segment] {
                return remove_segment(folder, number);
            };
            auto removed = co_await offload(world_, std::move(remove_work));
            ICL_CO_TRY(std::move(removed));
            sizes.erase(segment);
            break;
        }
        ICL_CO_TRY(const auto reached, co_await replay(segment, from));
        if (newest && bytes < options_.segment_bytes && reached.offset > kSegmentHeaderBytes)
            end = reached;
    }
    if (sizes.empty()) end = std::nullopt;
    storage::Batch batch;
    put_state(batch);
    ICL_CO_TRY(index_.write(std::move(batch)));
    co_return co_await log_.start(std::move(sizes), end, state_.end.segment);
}

Async<Position> SegmentStore::replay(std::uint32_t segment, std::uint64_t offset) {
    auto open_work = [folder = options_.folder, segment] {
        return SegmentFile::open(folder, segment, false);
    };
    auto opened = co_await offload(world_, std::move(open_work));
    ICL_CO_TRY(const auto file, std::move(opened));
    if (offset == 0) {
        auto read_header_work = [file]() -> Result<> {
            ICL_TRY(const auto bytes, file->read(0, kSegmentHeaderBytes));
            return check_segment_header(bytes);
        };
        auto header = co_await offload(world_, std::move(read_header_work));
        if (!header && header.error().kind != Kind::corrupt) co_return fail(header.error());
        // The records carry their own checksums, so a damaged header loses none of them.
        if (!header)
            logger("blockstore")->error("a segment has a damaged header segment={}", segment);
        offset = kSegmentHeaderBytes;
    }
    ScanPlace place{offset, offset};
    while (true) {
        auto scan_work = [file, place] { return scan_segment(*file, place, false); };
        auto step = co_await offload(world_, std::move(scan_work));
        ICL_CO_TRY(const auto scan, std::move(step));
        ICL_CO_TRY(index_scanned(scan, segment));
        damaged_ += scan.damaged;
        place = scan.next;
        if (!scan.end) continue;
        if (scan.tail_bytes > 0)
            logger("blockstore")
                ->warn("the end of a segment is incomplete segment={} offset={} bytes={}", segment,
                       place.good_end, scan.tail_bytes);
        if (damaged_ > 0)
            logger("blockstore")
                ->error("damaged blocks were stepped over segment={} count={}", segment, damaged_);
        co_return Position{segment, place.good_end};
    }
}

Result<> SegmentStore::index_scanned(const SegmentScan& scan, std::uint32_t segment) {
    storage::Batch batch;
    std::map<Bytes, std::uint32_t> seen;  // a batch does not read its own rows
    for (const auto& record : scan.records) {
        ICL_TRY(const auto row, find(record.multihash));
        // Kept: an older place, whose segment a compaction was about to remove, may be gone.
        batch.put(kFamily, row_key(kBlockRows, record.multihash),
                  encode_block_row({record.at, record.data_bytes, state_.sequence++}));
        if (row || !seen.emplace(record.multihash, record.data_bytes).second) continue;
        ++state_.blocks;
        state_.data_bytes += record.data_bytes;
    }
    state_.end = {segment, scan.next.good_end};
    put_state(batch);
    return index_.write(std::move(batch));
}

}  // namespace ipfscluster::blockstore
