#pragma once
#include <boost/asio/awaitable.hpp>

#include "base/result.hpp"

namespace ipfscluster {

namespace asio = boost::asio;

/// What every asynchronous function returns. Awaited by its caller; only `asio::awaitable<void>`
/// loops are spawned, and those by a TaskGroup that owns them.
template <class T = void>
using Async = asio::awaitable<Result<T>>;

}  // namespace ipfscluster
