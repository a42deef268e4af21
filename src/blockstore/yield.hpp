#pragma once
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "runtime/world.hpp"

namespace ipfscluster::blockstore {

/// Loops over more rows than this let others run in between.
inline constexpr std::size_t kYieldRows = 256;

/// Lets everything that is ready on the strand run first.
inline asio::awaitable<void> yield_strand(World& world) {
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await asio::post(world.executor(), asio::use_awaitable);
}

}  // namespace ipfscluster::blockstore
