#pragma once
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "runtime/join.hpp"

namespace ipfscluster {

/// Rows that a loop handles in one turn of its strand.
inline constexpr std::size_t kRowsPerTurn = 256;

/// Ends the turn: what waits for the strand runs first. `cancelled` when the caller has been
/// cancelled, which a post alone would not notice.
inline Async<> take_turn() {
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await asio::post(asio::use_awaitable);
    co_return co_await check_cancelled();
}

}  // namespace ipfscluster
