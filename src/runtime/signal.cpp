#include "runtime/signal.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace ipfscluster {

Async<> Signal::wait() {
    // The wait's completion is `operation_aborted` for a notify and for a cancelled coroutine
    // alike; the coroutine's own cancellation state tells them apart.
    boost::system::error_code ec;
    co_await asio::this_coro::throw_if_cancelled(false);
    // A cancellation that came before reaches no operation begun after it.
    auto before = co_await asio::this_coro::cancellation_state;
    if (before.cancelled() != asio::cancellation_type::none)
        co_return fail(Kind::cancelled, "the wait was cancelled");
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ec));
    auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none)
        co_return fail(Kind::cancelled, "the wait was cancelled");
    co_return ok();
}

asio::awaitable<void> Signal::wait_through() {
    boost::system::error_code ec;
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await timer_.async_wait(asio::bind_cancellation_slot(
        asio::cancellation_slot(), asio::redirect_error(asio::use_awaitable, ec)));
}

void Signal::notify_one() {
    timer_.cancel_one();
}

void Signal::notify_all() {
    timer_.cancel();
}

}  // namespace ipfscluster
