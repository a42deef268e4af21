#pragma once
#include <deque>
#include <set>
#include <unordered_map>

#include "blockstore/block_store.hpp"
#include "blockstore/rows.hpp"
#include "blockstore/segment_log.hpp"
#include "blockstore/space.hpp"

namespace ipfscluster::blockstore {

struct SegmentStoreOptions {
    std::string folder;                        ///< of the segment files; made when missing
    std::string peer_name;                     ///< for "disk full on PEER"
    std::optional<std::uint64_t> storage_max;  ///< bytes; default 90 % of the disk
    std::optional<std::uint64_t> reserve;      ///< bytes; default the larger of 1 GiB and 2 %
    std::uint64_t segment_bytes = 256u << 20;
};

/// A sync is asked for when this much is not durable yet, which bounds what waits for its index
/// row.
inline constexpr std::size_t kPendingBlocksMax = 16 * 1024;
inline constexpr std::uint64_t kPendingBytesMax = 64u << 20;
/// Segments are rewritten when less than this share of them is live.
inline constexpr std::uint64_t kCompactBelowPercent = 50;
/// The same once new blocks are refused: the rest of the waste counts against the limit, too.
inline constexpr std::uint64_t kCompactBelowPercentTight = 95;

/// The BlockStore on disk: a SegmentLog and an index over a storage::Store. Index rows are written,
/// not synced, after the log's data is durable; at open the log's tail is read again from the place
/// the index has reached, and a missing or contradicting index is rebuilt from the segments.
class SegmentStore final : public BlockStore, private SegmentLogEvents {
 public:
    /// Opens the folder. `index` outlives the store and is not shared with another one. `corrupt`
    /// or `unsupported` when the segments are not ours.
    static Async<std::unique_ptr<SegmentStore>> open(World& world, storage::Store& index,
                                                     SegmentStoreOptions options);
    ~SegmentStore() override;

    /// True when the index had to be built anew (so what else was kept beside it is gone, too).
    bool rebuilt() const { return rebuilt_; }
    /// Damaged records found and stepped over at open.
    std::uint64_t damaged() const { return damaged_; }

    Async<std::optional<Bytes>> get(Bytes multihash) override;
    Async<std::optional<Bytes>> get_prefix(Bytes multihash, std::size_t max) override;
    Result<std::optional<std::uint32_t>> size(BytesView multihash) override;
    Result<> check_space() override;
    Async<> put(std::vector<dag::Block> blocks) override;
    std::uint64_t loss_epoch() const override { return log_.losses(); }
    Async<> sync(std::uint64_t epoch) override;
    std::uint64_t next_sequence() const override { return state_.sequence; }
    Result<bool> touch(BytesView multihash) override;
    Result<> forget(BytesView multihash) override;
    SourcePtr<BlockInfo> list() override;
    BlockStat stat() const override;
    Result<SweepStep> sweep(Bytes after, std::uint64_t before, const KeepBlock& keep,
                            std::size_t limit) override;
    Async<std::uint64_t> compact() override;
    Async<> close() override;

 private:
    SegmentStore(World& world, storage::Store& index, SegmentStoreOptions options,
                 std::uint64_t storage_max, std::uint64_t reserve);
    Async<> load();
    Async<Position> replay(std::uint32_t segment, std::uint64_t offset);
    Result<> index_scanned(const SegmentScan& scan, std::uint32_t segment);
    Async<> on_durable(Position end) override;
    void on_lost(Position from, const Error& cause) override;
    Result<std::optional<BlockRow>> find(BytesView multihash);
    Result<> put_one(const dag::Block& block);
    void add_pending(Bytes multihash, const BlockRow& row);
    void put_state(storage::Batch& batch) const;
    Async<std::map<std::uint32_t, std::uint64_t>> live_bytes();
    /// Writes the live blocks of a segment anew, durably; their bytes.
    Async<std::uint64_t> move_live(std::uint32_t segment);
    /// Moves what is live (`alive` bytes when counted; more if it `grows`); false when something is
    /// left that cannot be moved, so that the segment has to stay.
    Async<bool> empty_segment(std::uint32_t segment, std::uint64_t alive, bool grows);

    struct Pending {
        BlockRow row;
        bool moved = false;  ///< by compaction: the index has an older row
    };

    World& world_;
    storage::Store& index_;
    SegmentStoreOptions options_;
    SpaceGuard space_;
    SegmentLog log_;
    LogState state_;
    bool rebuilt_ = false;
    std::uint64_t damaged_ = 0;
    std::unordered_map<Bytes, Pending> pending_;            // appended, no index row yet
    std::deque<std::pair<Bytes, Position>> pending_order_;  // with the place of each, ascending
    std::uint64_t pending_bytes_ = 0;
    std::set<std::uint32_t> damaged_segments_;  // kept by compactions for what they cannot move
    bool index_dirty_ = false;  // rows were written that no sync covers and the log cannot replay
    std::optional<Error> broken_;
};

}  // namespace ipfscluster::blockstore
