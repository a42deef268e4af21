#pragma once
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <optional>

#include "runtime/sim_world.hpp"

namespace ipfscluster::test {

template <class T>
asio::awaitable<void> keep_result(Async<T> work, std::shared_ptr<std::optional<Result<T>>> out) {
    auto result = co_await std::move(work);
    out->emplace(std::move(result));
}

/// Starts `work` in the simulation; the pointer holds the result once it has ended.
template <class T>
std::shared_ptr<std::optional<Result<T>>> start(SimWorld& world, Async<T> work) {
    auto out = std::make_shared<std::optional<Result<T>>>();
    asio::co_spawn(world.executor(), keep_result<T>(std::move(work), out), asio::detached);
    return out;
}

/// Runs the simulation until `work` has ended and gives its result; `timeout` when it does not.
template <class T>
Result<T> drive(SimWorld& world, Async<T> work, Duration limit = std::chrono::hours(24)) {
    auto out = start<T>(world, std::move(work));
    if (!world.run_until([out] { return out->has_value(); }, limit))
        return fail(Kind::timeout, "the simulation came to a halt first");
    return std::move(**out);
}

#define ICL_EXPECT_OK(expr)                                                        \
    do {                                                                           \
        auto icl_result_ = (expr);                                                 \
        EXPECT_TRUE(icl_result_) << (icl_result_ ? "" : icl_result_.error().text); \
    } while (false)

}  // namespace ipfscluster::test
