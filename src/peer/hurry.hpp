#pragma once
#include <functional>

#include "runtime/task_group.hpp"

namespace ipfscluster::peer {

/// Cuts the deadlines of an orderly shutdown when somebody asks a second time: the order and the
/// waiting for what has been cut stay, only nobody is given more time. Owned by the Peer; one
/// strand.
class Hurry {
 public:
    explicit Hurry(World& world) : world_(world), asked_for_(world.executor()) {}

    /// From now on, also for what begins later.
    void now();

    /// Closes a server: `stop(limit)`, and `stop(0)` beside it as soon as there is a hurry. `stop`
    /// must bear being called again while the first call still waits.
    using Stop = std::function<Async<>(Duration)>;
    Async<> drain(Stop stop, Duration limit);
    /// Runs `work`, which is cancelled by a hurry and has not begun if there already is one:
    /// `shutting_down` then.
    Async<> unless(Async<> work);

 private:
    /// `cancelled` when the awaiting coroutine is cancelled before there is a hurry.
    Async<> wait();
    asio::awaitable<void> cut(Stop stop);
    asio::awaitable<void> cancel(TaskGroup* group);

    World& world_;
    Signal asked_for_;
    bool asked_ = false;
};

}  // namespace ipfscluster::peer
