#pragma once
#include <array>
#include <optional>
#include <vector>

#include "state/work.hpp"
#include "storage/store.hpp"

namespace ipfscluster::tracker {

using state::WorkLane;
using state::WorkRow;

/// What is read of the work rows with a cursor of its own. Several read the retries, each for one
/// kind, so that none waits for rows of which another has too many.
enum class WorkView : std::uint8_t {
    unpins,
    pins,
    older,
    asked,  ///< retries numbered kAskedNumber: somebody asked for them by name
    pin_retries,
    unpin_retries,
    lost
};
/// Number of the retries that are due before all others.
inline constexpr std::uint64_t kAskedNumber = 1;

/// The number of a row that is due at that time.
inline std::uint64_t as_number(Time time) {
    return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

/// The durable work rows as the tracker sees them: read from cursors, so that rows already seen
/// (and the traces of deleted ones) are not walked again. Counts what was done, atomically with it.
/// Owned by the tracker; one strand.
class WorkQueue {
 public:
    explicit WorkQueue(storage::Store& store);
    /// Reads the counters; cursors begin at the first row.
    Result<> open();

    /// The next rows of a view numbered at most `last`, and not more than `rows_max`.
    Result<std::vector<WorkRow>> take(WorkView view, std::uint64_t last, std::size_t rows_max);
    /// A number that no unseen row of the view is below; nothing when it has no unseen row.
    std::optional<std::uint64_t> peek(WorkView view) const { return views_[slot(view)].next; }
    /// Whether a row was met by a view.
    bool was_met(WorkView view, const WorkRow& row) const;
    /// State has written rows.
    void rows_added();

    void add(storage::Batch& batch, const WorkRow& row);
    void remove(storage::Batch& batch, const WorkRow& row);
    /// Writes the batch with the counters. Not synced: losing it only repeats idempotent calls.
    Result<> write(storage::Batch batch);

    /// Rows of all lanes but those that wait for a retry, given how many State has ever added.
    std::uint64_t size(std::uint64_t added) const;

 private:
    /// The rows of a lane from number `first` to number `last`.
    struct View {
        WorkLane lane;
        std::uint64_t first, last;
        Bytes cursor;  ///< first key not seen yet
        std::optional<std::uint64_t> next;
    };
    static std::size_t slot(WorkView view) { return static_cast<std::size_t>(view); }

    storage::Store& store_;
    std::array<View, 7> views_;  ///< by WorkView
    std::int64_t done_ = 0;      ///< removed minus added by the tracker
    std::int64_t waiting_ = 0;   ///< rows of the retry lane
};

}  // namespace ipfscluster::tracker
