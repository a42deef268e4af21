// Included by task_group.hpp only.
#pragma once
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>
#include <variant>

namespace ipfscluster {

template <class T>
Async<T> with_deadline(World& world, Duration limit, std::string what, Async<T> work) {
    using namespace asio::experimental::awaitable_operators;
    // Two coroutines of their own begin below: a cancellation that came before would reach neither.
    co_await asio::this_coro::throw_if_cancelled(false);
    const auto before = co_await asio::this_coro::cancellation_state;
    if (before.cancelled() != asio::cancellation_type::none)
        co_return fail(Kind::cancelled, what + " was cancelled");
    auto first = co_await (detail::as_optional<T>(std::move(work)) ||
                           detail::as_optional<void>(world.sleep_for(limit)));
    if (first.index() == 0) co_return std::move(*std::get<0>(first));
    auto& slept = *std::get<1>(first);
    if (!slept) co_return fail(slept.error());  // our caller was cancelled
    co_return fail(Kind::timeout, what + ": no answer within " + format_go_duration(limit));
}

}  // namespace ipfscluster
