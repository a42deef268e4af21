#pragma once
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <list>
#include <optional>
#include <string>

#include "runtime/async.hpp"
#include "runtime/signal.hpp"
#include "runtime/world.hpp"

namespace ipfscluster {

/// Owns the loops a component spawns. `stop` cancels them and waits until the last has ended; a
/// group must be stopped, or never have spawned, before it is destroyed. One strand.
class TaskGroup {
 public:
    TaskGroup(World& world, std::string name);
    ~TaskGroup();
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;

    /// Starts `task` at once: it runs to its first wait, perhaps to its end, before this returns.
    /// Refused (false; the task is dropped) once stop began.
    bool spawn(asio::awaitable<void> task);
    /// Cancels every task without waiting.
    void cancel();
    /// cancel, then wait until all have ended. May be called more than once.
    Async<> stop();
    /// Waits until no task is left, without cancelling any.
    Async<> drain();
    bool stopping() const { return stopping_; }
    std::size_t size() const { return tasks_.size(); }

 private:
    World& world_;
    std::string name_;
    bool stopping_ = false;
    std::list<asio::cancellation_signal> tasks_;
    Signal ended_;
};

namespace detail {
/// A Result has no default constructor, which Asio's operators need of their values.
template <class T>
asio::awaitable<std::optional<Result<T>>> as_optional(Async<T> work) {
    auto result = co_await std::move(work);
    co_return std::optional<Result<T>>(std::move(result));
}
}  // namespace detail

/// Runs `work` with a deadline: cancels it when `limit` has passed and answers `timeout`, naming
/// `what`. The work must stop when cancelled.
template <class T>
Async<T> with_deadline(World& world, Duration limit, std::string what, Async<T> work);

}  // namespace ipfscluster

#include "runtime/deadline.ipp"
