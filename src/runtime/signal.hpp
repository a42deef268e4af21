#pragma once
#include <boost/asio/steady_timer.hpp>

#include "runtime/async.hpp"

namespace ipfscluster {

/// An awaitable condition: waiters re-check what they wait for after each wake-up, as with a
/// condition variable. Never expires by itself, so it is the same under real and simulated time.
/// One strand. Destroying it wakes all waiters with `cancelled`.
class Signal {
 public:
    explicit Signal(asio::any_io_executor executor)
        : timer_(std::move(executor), asio::steady_timer::time_point::max()) {}

    /// Returns ok at the next notify, `cancelled` when the awaiting coroutine is cancelled.
    /// Waiters wake in the order they came.
    Async<> wait();
    /// As `wait`, but not ended by a cancellation: for what must not be left alone before it ended.
    /// The caller stays cancelled; it must not throw on cancellation.
    asio::awaitable<void> wait_through();
    void notify_one();
    void notify_all();

 private:
    asio::steady_timer timer_;
};

}  // namespace ipfscluster
