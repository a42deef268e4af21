#pragma once
#include <vector>

#include "model/status.hpp"
#include "runtime/async.hpp"
#include "runtime/source.hpp"
#include "runtime/world.hpp"

namespace ipfscluster::component {

/// The error text of a `remote` row begins with this where the peer keeps a copy until the holders
/// have it.
inline constexpr std::string_view kKeptText = "kept until ";

/// What one comparison of the records with the daemon's list of pins has found.
struct ReconcileReport {
    std::uint64_t listed = 0;  ///< pins the daemon listed, recursive and direct
    std::uint64_t wanted = 0;  ///< pins this peer should hold
    std::uint64_t found = 0;   ///< held by the daemon, which the records did not know
    std::uint64_t lost = 0;    ///< recorded as pinned, but not held any more
    std::uint64_t changed_meanwhile =
        0;                        ///< left alone: their record changed during the comparison
    std::uint64_t unknown = 0;    ///< held by the daemon, in no pinset; never touched
    std::uint64_t elsewhere = 0;  ///< held by the daemon, but allocated to other peers only
    std::uint64_t kept = 0;       ///< the same, and it stays until those have it
};

/// Makes this peer's IPFS daemon hold what the pinset says it should. Works off the durable work
/// rows that `state` writes; owned by main; one strand.
class PinTracker {
 public:
    virtual ~PinTracker() = default;
    virtual Async<> start() = 0;
    virtual Async<> stop() = 0;
    /// This peer's view of one CID; asks the daemon when nothing is running for it.
    virtual Async<PinInfo> status(Cid cid) = 0;
    /// As `status`, but fails where the daemon was to be asked and gave no answer, whatever the
    /// record says: who syncs wants the daemon's word.
    virtual Async<PinInfo> sync(Cid cid) = 0;
    /// This peer's rows sorted by CID bytes, from the records (no daemon call).
    virtual SourcePtr<PinInfo> status_all(StatusFilter filter) = 0;
    /// Queues the CID again when it is in error or unexpectedly unpinned; the status afterwards.
    virtual Async<PinInfo> recover(Cid cid) = 0;
    /// Reconciles, then gives the rows that were queued again. The error of a comparison that
    /// failed is its first and only item.
    virtual SourcePtr<PinInfo> recover_all() = 0;
    /// As `recover_all`, but what failed and waits for its next try keeps waiting: only what would
    /// not be tried again by itself is queued, such as pins that the daemon has lost.
    virtual SourcePtr<PinInfo> recover_lost() = 0;
    /// Compares all records with the daemon's list of pins and corrects them; one at a time, who
    /// comes second shares it. After an error nothing was changed.
    virtual Async<ReconcileReport> reconcile() = 0;
    /// Reconciles, then gives the rows that are in error or have changed since, sorted by CID
    /// bytes.
    virtual SourcePtr<PinInfo> sync_all() = 0;
    virtual std::uint64_t queue_size() = 0;
    /// Pins of this peer that have failed for want of room since `time` or longer; some of them
    /// when there are very many.
    virtual std::vector<Cid> without_room_since(SteadyTime time) = 0;
};

}  // namespace ipfscluster::component
