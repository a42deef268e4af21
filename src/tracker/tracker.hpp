#pragma once
#include <memory>

#include "component/ipfs_connector.hpp"
#include "component/pin_tracker.hpp"
#include "runtime/world.hpp"
#include "state/state.hpp"
#include "storage/store.hpp"
#include "tracker/holder_questions.hpp"

namespace ipfscluster::tracker {

/// With so many pins waiting that were never compared with the daemon's list, the list is read once
/// before they are told one by one.
inline constexpr std::uint64_t kCompareFirstRows = 4096;
/// Differences written at once.
inline constexpr std::size_t kReconcileBatchMax = 256;

/// `pin_tracker.stateless` of service.json, and what it does not name.
struct TrackerOptions {
    int concurrent_pins = 10;
    int concurrent_unpins = 4;
    Duration priority_pin_max_age = std::chrono::hours(24);
    int priority_pin_max_retries = 5;
    /// Work waits on disk and is never refused; a longer queue is only logged.
    std::int64_t max_pin_queue_size = 1'000'000;
    Duration retry_delay_first = std::chrono::seconds(10);
    Duration retry_delay_max = std::chrono::minutes(12);
    /// Between two walks over the copies that are kept for others; doubles while none may go.
    Duration kept_ask_first = std::chrono::seconds(2);
    Duration kept_ask_max = std::chrono::minutes(2);
    /// Where the daemon's list is sorted when it does not fit into memory; empty: the system's
    /// folder for temporary files.
    std::string temporary_folder;
};

/// What a status row says about the peer it comes from.
struct TrackerIdentity {
    std::string peername;
    IpfsId ipfs;
};

/// The pin tracker: works off the durable work rows. A row is removed in the same write as the
/// record of what came of it, so a crash anywhere repeats at most one idempotent call and loses no
/// work. Owned by main, which stops it before the connector and the store; one strand.
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
    struct Impl;
    class StatusSource;
    class RecoverSource;
    class SyncSource;
    std::shared_ptr<Impl> impl_;
};

}  // namespace ipfscluster::tracker
