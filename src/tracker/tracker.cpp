#include "tracker/tracker.hpp"

#include "tracker/kept_copies.hpp"
#include "tracker/pin_workers.hpp"
#include "tracker/tracker_view.hpp"

namespace ipfscluster::tracker {

/// In the order in which they use each other.
struct Tracker::Parts {
    Parts(World& world, storage::Store& store, state::State& state,
          component::IpfsConnector& daemon, TrackerOptions o)
        : options(std::move(o)),
          pinset(state),
          ipfs(daemon),
          tasks(world, "tracker"),
          wakeup(world.executor()),
          durable(world, store),
          facts(store, state, durable),
          queue({.world = world,
                 .store = store,
                 .pinset = state,
                 .facts = facts,
                 .wakeup = wakeup,
                 .options = options}),
          outcomes({.world = world, .ipfs = daemon, .queue = queue, .options = options}),
          reconciler({.world = world,
                      .store = store,
                      .pinset = state,
                      .ipfs = daemon,
                      .queue = queue,
                      .facts = facts,
                      .outcomes = outcomes,
                      .wakeup = wakeup,
                      .tasks = tasks,
                      .temporary_folder = options.temporary_folder}),
          workers({.world = world,
                   .pinset = state,
                   .ipfs = daemon,
                   .queue = queue,
                   .facts = facts,
                   .durable = durable,
                   .outcomes = outcomes,
                   .reconciler = reconciler,
                   .wakeup = wakeup,
                   .tasks = tasks,
                   .options = options}),
          kept({.world = world,
                .store = store,
                .pinset = state,
                .ipfs = daemon,
                .rows = queue.rows(),
                .facts = facts,
                .outcomes = outcomes,
                .wakeup = wakeup,
                .ask_first = options.kept_ask_first,
                .ask_max = options.kept_ask_max}),
          view({.world = world,
                .store = store,
                .pinset = state,
                .ipfs = daemon,
                .queue = queue,
                .facts = facts,
                .outcomes = outcomes,
                .reconciler = reconciler,
                .options = options}) {}

    const TrackerOptions options;
    state::State& pinset;
    component::IpfsConnector& ipfs;
    TaskGroup tasks;
    Wakeup wakeup;
    DurableIndex durable;
    ItemFacts facts;
    PinQueue queue;
    Outcomes outcomes;
    Reconciler reconciler;
    PinWorkers workers;
    KeptCopies kept;
    TrackerView view;
    std::uint64_t kept_seen = 0;  ///< State's count when `kept` was last told
};

Tracker::Tracker(World& world, storage::Store& store, state::State& state,
                 component::IpfsConnector& ipfs, TrackerOptions options)
    : parts_(std::make_unique<Parts>(world, store, state, ipfs, std::move(options))) {}

Tracker::~Tracker() {
    parts_->pinset.on_work(nullptr);
}

Async<> Tracker::start() {
    auto& parts = *parts_;
    auto opened = parts.queue.rows().open();
    if (!opened) co_return fail(opened.error().in("pin tracker"));
    parts.pinset.on_work([&parts] {
        parts.queue.rows().rows_added();
        parts.reconciler.rows_came();
        const auto kept = parts.pinset.kept_added();
        if (std::exchange(parts.kept_seen, kept) != kept) parts.kept.wake();
        parts.wakeup.notify();
    });
    parts.ipfs.on_daemon([&parts] { parts.wakeup.notify(); });
    parts.reconciler.start();
    parts.tasks.spawn(parts.workers.run());
    parts.tasks.spawn(parts.kept.run());
    co_return ok();
}

Async<> Tracker::stop() {
    parts_->pinset.on_work(nullptr);
    parts_->ipfs.on_daemon(nullptr);
    auto stopped = co_await parts_->tasks.stop();
    co_return stopped;
}

Async<PinInfo> Tracker::status(Cid cid) {
    return parts_->view.status(std::move(cid));
}
Async<PinInfo> Tracker::sync(Cid cid) {
    return parts_->view.sync(std::move(cid));
}
SourcePtr<PinInfo> Tracker::status_all(StatusFilter filter) {
    return parts_->view.status_all(filter);
}
Async<PinInfo> Tracker::recover(Cid cid) {
    return parts_->view.recover(std::move(cid));
}
SourcePtr<PinInfo> Tracker::recover_all() {
    return parts_->view.recover_all(true);
}
SourcePtr<PinInfo> Tracker::recover_lost() {
    return parts_->view.recover_all(false);
}
Async<component::ReconcileReport> Tracker::reconcile() {
    return parts_->reconciler.reconcile();
}
SourcePtr<PinInfo> Tracker::sync_all() {
    return parts_->view.sync_all();
}
std::uint64_t Tracker::queue_size() {
    return parts_->queue.size();
}
std::vector<Cid> Tracker::without_room_since(SteadyTime time) {
    return parts_->outcomes.no_room().since(time);
}
void Tracker::ask_holders_through(HolderQuestions questions) {
    parts_->kept.set_questions(std::move(questions));
}
void Tracker::set_identity(TrackerIdentity identity) {
    parts_->view.set_identity(std::move(identity));
}
std::optional<component::PinProgress> Tracker::progress(const Cid& cid) const {
    const auto task = parts_->queue.find(cid);
    if (task == nullptr || task->step != Step::pin) return std::nullopt;
    return task->progress;
}
std::size_t Tracker::active() const {
    return parts_->queue.active();
}
std::size_t Tracker::slow_pins() const {
    return parts_->workers.slow();
}

}  // namespace ipfscluster::tracker
