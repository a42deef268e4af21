#pragma once
#include <memory>

#include "component/ipfs_connector.hpp"
#include "component/pin_tracker.hpp"
#include "runtime/world.hpp"
#include "state/state.hpp"
#include "storage/store.hpp"
#include "tracker/holder_questions.hpp"
#include "tracker/tracker_options.hpp"

namespace ipfscluster::tracker {

/// The pin tracker, made of its parts, to which it only forwards. A work row is removed in the same
/// write as the record of what came of it, so a crash anywhere repeats at most one call and loses
/// no work. Owned by main, which stops it before the connector and the store; what it gave (lists)
/// ends before it does. One strand.
class Tracker final : public component::PinTracker {
 public:
    Tracker(World& world, storage::Store& store, state::State& state,
            component::IpfsConnector& ipfs, TrackerOptions options);
    ~Tracker() override;

    /// Takes up queued work where it stood.
    Async<> start() override;
    /// Cancels daemon calls and waits for them; what was queued or running stays queued on disk.
    Async<> stop() override;

    Async<PinInfo> status(Cid cid) override;
    Async<PinInfo> sync(Cid cid) override;
    SourcePtr<PinInfo> status_all(StatusFilter filter) override;
    Async<PinInfo> recover(Cid cid) override;
    SourcePtr<PinInfo> recover_all() override;
    SourcePtr<PinInfo> recover_lost() override;
    /// One comparison at a time; all who come while one runs share the one that follows it, as the
    /// list of the running one may be older than their call.
    Async<component::ReconcileReport> reconcile() override;
    SourcePtr<PinInfo> sync_all() override;
    std::uint64_t queue_size() override;
    std::vector<Cid> without_room_since(SteadyTime time) override;

    /// How other holders are asked before a copy kept for them goes. To be set before `start`.
    void ask_holders_through(HolderQuestions questions);
    /// Shown in status rows from now on.
    void set_identity(TrackerIdentity identity);
    /// What a running pin has fetched so far; nothing when none runs.
    std::optional<component::PinProgress> progress(const Cid& cid) const;
    /// CIDs held in memory now; bounded by the lines, the workers and the slow pins, however long
    /// the queue is.
    std::size_t active() const;
    /// Pins that wait at the daemon without a worker, since nothing has come of them for long.
    std::size_t slow_pins() const;

 private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace ipfscluster::tracker
