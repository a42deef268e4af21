#pragma once
#include "component/ipfs_connector.hpp"
#include "component/pin_tracker.hpp"
#include "runtime/task_group.hpp"
#include "tracker/arrival_clock.hpp"
#include "tracker/outcomes.hpp"
#include "tracker/pin_queue.hpp"

namespace ipfscluster::tracker {

/// With so many pins waiting that were never compared with the daemon's list, the list is read once
/// before they are told one by one.
inline constexpr std::uint64_t kCompareFirstRows = 4096;
/// Differences written at once.
inline constexpr std::size_t kReconcileBatchMax = 256;

/// Compares all records with the daemon's list of pins, and knows from that, and from when rows
/// came, which pins the daemon may hold before they are told. One comparison at a time; all who
/// come while one runs share the one that follows it, as the list of the running one may be older
/// than their call. Owned by the tracker, which stops its tasks before it; one strand. Errors of
/// the daemon's list and of the store are passed on: such a comparison changes nothing.
class Reconciler {
 public:
    struct Parts {
        World& world;
        storage::Store& store;
        state::State& pinset;
        component::IpfsConnector& ipfs;
        PinQueue& queue;
        ItemFacts& facts;
        Outcomes& outcomes;
        Wakeup& wakeup;
        TaskGroup& tasks;
        std::string temporary_folder;
    };
    explicit Reconciler(Parts parts) : parts_(std::move(parts)) {}

    /// Rows that are there already came before we looked.
    void start() { arrivals_.start(parts_.pinset.work_added()); }
    void rows_came() { arrivals_.came(parts_.world.system_now(), parts_.pinset.work_added()); }

    Async<component::ReconcileReport> reconcile();
    /// Begins a comparison where that is cheaper than asking about each pin that waits.
    void compare_if_many_wait();
    /// No pin is to be told now.
    bool holds_pins_back() { return many_pins_wait() || (running_ && running_->pins_wait); }

    /// Whether the daemon may hold a pin that comes here for the first time, as one of an import
    /// may be: unless a list has shown that it does not.
    bool may_be_held(const WorkRow& row, const state::StoredPin& pin) const;
    /// What the connector is told of it.
    component::Held known(const WorkRow& row, const state::StoredPin& pin) const;

 private:
    /// One comparison, shared by all who asked for one before it began.
    struct Run {
        explicit Run(asio::any_io_executor executor) : ended(std::move(executor)) {}
        bool pins_wait = false;  ///< no pin is told meanwhile
        std::optional<Result<component::ReconcileReport>> result;
        Signal ended;
    };
    using RunPtr = std::shared_ptr<Run>;
    /// What the daemon's list says of one CID against the facts when the list began.
    struct Difference {
        Cid cid;
        Facts facts;
        Finding finding = Finding::as_recorded;
    };

    bool many_pins_wait();
    bool begin(RunPtr run);
    void end(const RunPtr& run, Result<component::ReconcileReport> result);
    asio::awaitable<void> carry_out(RunPtr run);
    void note(const Run& run, const Result<component::ReconcileReport>& report,
              std::uint64_t rows_before);
    Async<component::ReconcileReport> compare_all();
    Result<> settle(std::vector<Difference>& found, component::ReconcileReport& report);

    Parts parts_;
    RunPtr running_;
    RunPtr following_;  ///< begins when that one ends: somebody waits for it
    ArrivalClock arrivals_;
    std::uint64_t rows_compared_ = 0;   ///< rows up to this number were compared with a list
    std::uint64_t index_compared_ = 0;  ///< and pins up to this modification index
    std::uint64_t compared_last_ = 0;   ///< rows of the longer table in the last comparison
    std::uint64_t not_below_ = 0;       ///< rows there must be before a failed list is tried again
};

}  // namespace ipfscluster::tracker
