// Included by task_group.hpp only.
#pragma once
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <variant>

namespace ipfscluster {

template <class T>
Async<T> with_deadline(World& world, Duration limit, std::string what, Async<T> work) {
    using namespace asio::experimental::awaitable_operators;
    auto first = co_await (detail::as_optional<T>(std::move(work)) ||
                           detail::as_optional<void>(world.sleep_for(limit)));
    if (first.index() == 0) co_return std::move(*std::get<0>(first));
    auto& slept = *std::get<1>(first);
    if (!slept) co_return fail(slept.error());  // our caller was cancelled
    co_return fail(Kind::timeout, what + ": no answer within " + format_go_duration(limit));
}

}  // namespace ipfscluster
