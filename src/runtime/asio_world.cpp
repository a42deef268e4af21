#include "runtime/asio_world.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <random>

namespace ipfscluster {

AsioWorld::AsioWorld(asio::io_context& io) : io_(io), pool_(kBlockingThreads) {}

AsioWorld::~AsioWorld() {
    join();
}

void AsioWorld::join() {
    pool_.join();
}

asio::any_io_executor AsioWorld::executor() {
    return io_.get_executor();
}

SteadyTime AsioWorld::steady_now() {
    return std::chrono::steady_clock::now();
}

Time AsioWorld::system_now() {
    return std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now());
}

std::uint64_t AsioWorld::random_u64() {
    thread_local std::random_device device;
    return static_cast<std::uint64_t>(device()) << 32 | device();
}

Async<> AsioWorld::sleep_until(SteadyTime when) {
    co_await asio::this_coro::throw_if_cancelled(false);
    // A cancellation that came before reaches no operation begun after it: a loop whose last wait
    // swallowed it would sleep, and repeat, for ever.
    const auto before = co_await asio::this_coro::cancellation_state;
    if (before.cancelled() != asio::cancellation_type::none)
        co_return fail(Kind::cancelled, "the sleep was cancelled");
    asio::steady_timer timer(io_, when);
    boost::system::error_code ec;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ec));
    if (ec) co_return fail(Kind::cancelled, "the sleep was cancelled");
    co_return ok();
}

Async<> AsioWorld::run_blocking(std::function<void()> work) {
    co_await asio::this_coro::throw_if_cancelled(false);
    // The result comes back to the io_context, whose outstanding work keeps it alive meanwhile.
    co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(
        [this](auto handler, std::function<void()> job) {
            auto back = asio::prefer(io_.get_executor(), asio::execution::outstanding_work.tracked);
            asio::post(pool_, [job = std::move(job), back, handler = std::move(handler)]() mutable {
                job();
                job = nullptr;  // what it holds (open files) is gone before the caller goes on
                asio::post(back, std::move(handler));
            });
        },
        asio::use_awaitable, std::move(work));
    co_return ok();
}

}  // namespace ipfscluster
