#pragma once
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "runtime/task_group.hpp"

namespace ipfscluster {

namespace detail {
inline asio::awaitable<void> wait_for_last(TaskGroup* tasks) {
    auto drained = co_await tasks->drain();
    (void)drained;  // nothing cancels this wait
}

inline asio::awaitable<void> join_tasks(TaskGroup* tasks) {
    co_await asio::this_coro::throw_if_cancelled(false);
    tasks->cancel();
    const auto executor = co_await asio::this_coro::executor;
    co_await asio::co_spawn(
        executor, wait_for_last(tasks),
        asio::bind_cancellation_slot(asio::cancellation_slot(), asio::use_awaitable));
}
}  // namespace detail

/// Cancels the tasks of the group and returns when the last has ended, also where the caller itself
/// has been cancelled: for a coroutine whose tasks refer to what lives in its frame. `stop` and
/// `drain` return at once there, and waiting for them again never lets the strand go. The caller
/// stays cancelled. It must not throw on cancellation (`this_coro::throw_if_cancelled(false)`), or
/// awaiting this throws before the tasks have ended. Takes as long as they take to end.
inline asio::awaitable<void> join(TaskGroup& tasks) {
    return detail::join_tasks(&tasks);
}

/// `cancelled` once the awaiting coroutine has been cancelled. For loops whose waits may all have
/// been between two operations at that moment, as an operation begun later does not feel it.
inline Async<> check_cancelled() {
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none)
        co_return fail(Kind::cancelled, "the caller was cancelled");
    co_return ok();
}

}  // namespace ipfscluster
