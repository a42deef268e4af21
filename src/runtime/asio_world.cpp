#include "runtime/asio_world.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <random>

#include "runtime/signal.hpp"

namespace ipfscluster {

AsioWorld::AsioWorld(asio::io_context& io) : io_(io) {}

AsioWorld::~AsioWorld() {
    join();
}

void AsioWorld::join() {
    for (auto& pool : pools_) pool.join();
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

namespace {
/// A call that waits for its work; shared with the thread that does it.
struct Call {
    explicit Call(asio::any_io_executor executor) : ended(std::move(executor)) {}
    Signal ended;
    bool over = false;
};
}  // namespace

Async<> AsioWorld::run_blocking(Pool pool, std::function<void()> work) {
    co_await asio::this_coro::throw_if_cancelled(false);
    const auto before = co_await asio::this_coro::cancellation_state;
    if (before.cancelled() != asio::cancellation_type::none) co_return fail(cancelled_work());
    const auto call = std::make_shared<Call>(io_.get_executor());
    std::function<void()> done = [call, back = io_.get_executor()] {
        asio::post(back, [call] {
            call->over = true;
            call->ended.notify_all();
        });
    };
    auto& threads = pools_[static_cast<std::size_t>(pool)];
    const auto ticket = threads.submit(std::move(work), std::move(done));
    if (!ticket) co_return fail(too_much_work(limits_of(pool)));
    auto woken = co_await call->ended.wait();
    if (woken) co_return ok();
    if (!threads.abandon(ticket))
        while (!call->over) co_await call->ended.wait_through();
    co_return fail(cancelled_work());
}

}  // namespace ipfscluster
