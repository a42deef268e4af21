#pragma once
#include <map>

#include "runtime/signal.hpp"
#include "runtime/task_group.hpp"
#include "tracker/arrival_clock.hpp"
#include "tracker/handfuls.hpp"
#include "tracker/kept_copies.hpp"
#include "tracker/no_room.hpp"
#include "tracker/sorted_spool.hpp"
#include "tracker/start_pace.hpp"
#include "tracker/task_queues.hpp"
#include "tracker/track_planner.hpp"
#include "tracker/tracker.hpp"
#include "tracker/work_queue.hpp"

namespace ipfscluster::tracker {

/// One comparison with the daemon's list, shared by all who asked for one before it began.
struct ReconcileRun {
    explicit ReconcileRun(asio::any_io_executor executor) : ended(std::move(executor)) {}
    bool pins_wait = false;  ///< no pin is told meanwhile
    std::optional<Result<component::ReconcileReport>> result;
    Signal ended;
};

/// What the daemon's list says of one CID against the facts when the list began.
struct Difference {
    Cid cid;
    Facts facts;
    Finding finding = Finding::as_recorded;
};

/// What a look at the daemon for one CID has come to.
struct Asked {
    PinInfo row;                   ///< afterwards
    std::optional<Error> unasked;  ///< why the daemon gave no answer, where it was to be asked
    bool overtaken = false;  ///< something happened meanwhile: the answer is about what was before
};

using storage::Batch;

struct Tracker::Impl : std::enable_shared_from_this<Tracker::Impl> {
    Impl(World& w, storage::Store& s, state::State& st, component::IpfsConnector& i,
         TrackerOptions o)
        : world(w),
          store(s),
          pinset(st),
          ipfs(i),
          options(std::move(o)),
          queue(s),
          kept({.world = w,
                .store = s,
                .pinset = st,
                .ipfs = i,
                .queue = queue,
                .read = [this](const Cid& cid) { return read(cid); },
                .record_whole = [this](const Cid& cid,
                                       Facts& facts) { return record_whole(cid, facts); },
                .released = [this] { notify(); },
                .ask_first = options.kept_ask_first,
                .ask_max = options.kept_ask_max}),
          handfuls({.world = w,
                    .pinset = st,
                    .ipfs = i,
                    .queue = queue,
                    .durable_index = durable_index,
                    .make_durable = [this](std::uint64_t index) { return make_durable(index); },
                    .read = [this](const Cid& cid) { return read(cid); },
                    .record_whole = [this](const Cid& cid,
                                           Facts& facts) { return record_whole(cid, facts); },
                    .settle = [this](Batch& batch, const TaskPtr& task,
                                     const Facts& facts) { settle(batch, task, facts, ok()); }}),
          tasks(w, "tracker"),
          wake(w.executor()),
          synced(w.executor()) {}

    World& world;
    storage::Store& store;
    state::State& pinset;
    component::IpfsConnector& ipfs;
    TrackerOptions options;
    TrackerIdentity identity;
    WorkQueue queue;
    KeptCopies kept;
    NoRoom no_room;
    Handfuls handfuls;
    std::uint64_t kept_seen = 0;  ///< State's count when `kept` was last told
    TaskGroup tasks;
    Signal wake;
    bool wake_pending = false;
    bool started = false;

    std::map<Cid, TaskPtr> active;  ///< bounded by the lines below, the workers and slow pins
    TaskQueues lines;
    PinShares pin_shares{options.concurrent_pins};
    UnpinShares unpin_shares{options.concurrent_unpins};
    StartPace pace;
    std::optional<SteadyTime> pace_ends;  ///< when more may start, while `pace` holds pins back
    bool queue_warned = false;

    std::uint64_t seen_index = 0;     ///< newest modification index read so far
    std::uint64_t durable_index = 0;  ///< pins up to here are on the disk
    bool syncing = false;
    Signal synced;

    std::shared_ptr<ReconcileRun> reconciling;
    std::shared_ptr<ReconcileRun> following;  ///< begins when that one ends: somebody waits for it
    ArrivalClock arrivals;
    std::uint64_t rows_compared = 0;   ///< rows up to this number were compared with a list
    std::uint64_t index_compared = 0;  ///< and pins up to this modification index
    std::uint64_t compared_last = 0;   ///< rows of the longer table in the last comparison
    std::uint64_t compare_not_below =
        0;  ///< rows there must be before a failed list is tried again

    PriorityRule priority_rule() const {
        return {options.priority_pin_max_age,
                static_cast<std::uint32_t>(options.priority_pin_max_retries)};
    }
    void notify();

    Result<Facts> read(const Cid& cid);
    Result<std::optional<TrackRecord>> read_record(const Cid& cid);
    /// The daemon has said that it holds all of a copy that is kept here.
    Result<> record_whole(const Cid& cid, Facts& facts);

    // Scheduler.
    asio::awaitable<void> schedule();
    Result<> fill();
    Result<> fill_unpins();
    Result<> fill_pins();
    Result<> fill_older();
    Result<> fill_retries();
    std::size_t room_for(Line line) const;
    std::optional<SteadyTime> next_due() const;
    Line line_of_asked(const Facts& facts) const;
    Result<> admit(WorkRow row, Line into);
    Result<> merge(const TaskPtr& task, WorkRow row);
    void start_tasks();
    void start_unpins();
    void start_pins();
    std::size_t start_untried(PinTurn turn, std::uint64_t may_start);
    std::vector<HandfulPin> choose(std::size_t most, TaskPtr* odd);
    void start_alone(PinTurn turn, TaskPtr task);
    void start(TaskPtr task);
    void start_together(std::vector<HandfulPin> pins);
    void take_workers();
    Async<> pause();

    // Workers.
    asio::awaitable<void> work(TaskPtr task);
    Async<> work_off(TaskPtr task);
    asio::awaitable<void> work_together(std::vector<HandfulPin> pins, PinShares::Place* place);
    Async<> make_durable(std::uint64_t modification_index);
    bool may_be_held(const WorkRow& row, const state::StoredPin& pin) const;
    component::Held known(const WorkRow& row, const state::StoredPin& pin) const;
    Async<> tell_daemon(TaskPtr task, Facts facts);
    Result<> finish(const TaskPtr& task, const Facts& facts, Result<> outcome);
    void settle(Batch& batch, const TaskPtr& task, const Facts& facts, Result<> outcome);

    // Status.
    PinInfo describe(const Cid& cid, const Facts& facts) const;
    Result<> requeue(const Cid& cid, Facts& facts, Time due);
    Async<Asked> look(Cid cid);
    Async<Asked> ask_daemon(Cid cid, Facts facts);

    // Looking at the whole daemon (reconcile.cpp).
    bool many_pins_wait();
    Async<component::ReconcileReport> reconcile();
    std::shared_ptr<ReconcileRun> start_reconcile(bool pins_wait);
    bool begin_reconcile(std::shared_ptr<ReconcileRun> run);
    void end_reconcile(const std::shared_ptr<ReconcileRun>& run,
                       Result<component::ReconcileReport> result);
    asio::awaitable<void> run_reconcile(std::shared_ptr<ReconcileRun> run);
    Async<component::ReconcileReport> compare_all();
    Async<std::uint64_t> spool_listing(std::shared_ptr<SortedSpool> spool);
    Result<> settle(std::vector<Difference>& found, component::ReconcileReport& report);
    Result<> record_finding(storage::Batch& batch, const Cid& cid, Facts& facts, Finding finding);
};

}  // namespace ipfscluster::tracker
