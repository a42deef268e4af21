#pragma once
#include "tracker/item_teller.hpp"
#include "tracker/start_pace.hpp"

namespace ipfscluster::tracker {

/// Gives the tasks that wait to workers, and runs them: the one gate between a row and the daemon.
/// It opens as far as the configuration and the daemon allow (PinShares), for nobody while the
/// daemon is away, and a little less during a burst (StartPace). Owned by the tracker, which stops
/// its tasks before it; one strand. An error of the store is logged; the row stays.
class PinWorkers {
 public:
    struct Parts {
        World& world;
        state::State& pinset;
        component::IpfsConnector& ipfs;
        PinQueue& queue;
        ItemFacts& facts;
        DurableIndex& durable;
        Outcomes& outcomes;
        Reconciler& reconciler;
        Wakeup& wakeup;
        TaskGroup& tasks;
        const TrackerOptions& options;
    };
    explicit PinWorkers(Parts parts);

    /// The scheduler; until the tasks are stopped.
    asio::awaitable<void> run();
    /// Pins that wait at the daemon without a worker, since nothing has come of them for long.
    std::size_t slow() const { return shares_.slow(); }

 private:
    TaskQueues& lines() { return parts_.queue.lines(); }
    Async<> pause();
    void start_tasks();
    void start_unpins();
    void start_pins();
    std::size_t start_untried(PinTurn turn, std::uint64_t may_start);
    std::vector<HandfulPin> choose(std::size_t most, TaskPtr* odd);
    void start_alone(PinTurn turn, TaskPtr task);
    void start(TaskPtr task);
    void start_together(std::vector<HandfulPin> pins);
    void take_workers();
    asio::awaitable<void> work(TaskPtr task);
    asio::awaitable<void> work_together(std::vector<HandfulPin> pins, PinShares::Place* place);

    Parts parts_;
    PinShares shares_;
    UnpinShares unpin_shares_;
    Handfuls handfuls_;
    ItemTeller teller_;
    StartPace pace_;
    std::optional<SteadyTime> pace_ends_;  ///< when more may start, while `pace_` holds pins back
};

}  // namespace ipfscluster::tracker
