#pragma once
#include <array>
#include <optional>
#include <vector>

#include "state/work.hpp"
#include "storage/store.hpp"

namespace ipfscluster::tracker {

using state::WorkLane;
using state::WorkRow;

/// The durable work rows as the tracker sees them: read lane by lane from a cursor, so that rows
/// already seen (and the traces of deleted ones) are not walked again. Counts what was done,
/// atomically with it. Owned by the tracker; one strand.
class WorkQueue {
 public:
    explicit WorkQueue(storage::Store& store) : store_(store) {}
    /// Reads the counters; cursors begin at the first row.
    Result<> open();

    /// The next rows of a lane numbered at most `last`, and not more than `rows_max`.
    Result<std::vector<WorkRow>> take(WorkLane lane, std::uint64_t last, std::size_t rows_max);
    /// A number that no unseen row of the lane is below; nothing when the lane has no unseen row.
    std::optional<std::uint64_t> peek(WorkLane lane) const { return next_[slot(lane)]; }
    /// State has written rows.
    void rows_added();

    void add(storage::Batch& batch, const WorkRow& row);
    void remove(storage::Batch& batch, const WorkRow& row);
    /// Writes the batch with the counters. Not synced: losing it only repeats idempotent calls.
    Result<> write(storage::Batch batch);

    /// Rows of all lanes but those that wait for a retry, given how many State has ever added.
    std::uint64_t size(std::uint64_t added) const;

 private:
    static std::size_t slot(WorkLane lane) { return static_cast<std::size_t>(lane) - 1; }
    Bytes& cursor(WorkLane lane) { return cursors_[slot(lane)]; }

    storage::Store& store_;
    std::array<Bytes, 4> cursors_;  ///< first key not seen yet
    std::array<std::optional<std::uint64_t>, 4> next_;
    std::int64_t done_ = 0;     ///< removed minus added by the tracker
    std::int64_t waiting_ = 0;  ///< rows of the retry lane
};

}  // namespace ipfscluster::tracker
