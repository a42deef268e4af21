#include "runtime/sim_pools.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/this_coro.hpp>
#include <deque>
#include <optional>

#include "runtime/sim_world.hpp"

namespace ipfscluster {

struct SimPools::Job {
    Job(asio::any_io_executor executor, std::function<void()> w, Duration s)
        : work(std::move(w)), span(s), ended(std::move(executor)) {}
    std::function<void()> work;
    Duration span;
    Signal ended;
    bool over = false;
};

struct SimPools::Core : std::enable_shared_from_this<Core> {
    explicit Core(SimWorld& w) : world(w) {}
    struct Queue {
        std::deque<std::shared_ptr<Job>> waiting;
        std::size_t running = 0;
        std::optional<std::pair<Duration, Duration>> delay;
    };
    SimWorld& world;
    std::array<Queue, kPoolCount> queues;

    Queue& of(Pool pool) { return queues[static_cast<std::size_t>(pool)]; }

    void begin(Pool pool) {
        auto& queue = of(pool);
        if (queue.waiting.empty() || queue.running == limits_of(pool).threads) return;
        auto job = std::move(queue.waiting.front());
        queue.waiting.pop_front();
        ++queue.running;
        const auto when = world.steady_now() + job->span;
        world.call_at(when, [core = shared_from_this(), pool, job = std::move(job)] {
            job->work();
            job->work = nullptr;
            job->over = true;
            job->ended.notify_all();
            --core->of(pool).running;
            core->begin(pool);
        });
    }
};

SimPools::SimPools(SimWorld& world) : core_(std::make_shared<Core>(world)) {}

Async<> SimPools::run(Pool pool, std::function<void()> work) {
    co_await asio::this_coro::throw_if_cancelled(false);
    const auto core = core_;
    const auto before = co_await asio::this_coro::cancellation_state;
    if (before.cancelled() != asio::cancellation_type::none) co_return fail(cancelled_work());
    auto& queue = core->of(pool);
    const auto limits = limits_of(pool);
    if (limits.queue_max != 0 && queue.waiting.size() >= limits.queue_max)
        co_return fail(too_much_work(limits));
    const auto [low, high] = queue.delay.value_or(core->world.blocking_delay());
    const auto span = core->world.random_between(static_cast<std::uint64_t>(low.count()),
                                                 static_cast<std::uint64_t>(high.count()));
    const auto job = std::make_shared<Job>(core->world.executor(), std::move(work),
                                           Duration(static_cast<std::int64_t>(span)));
    queue.waiting.push_back(job);
    core->begin(pool);
    auto woken = co_await job->ended.wait();
    if (woken) co_return ok();
    const auto place = std::find(queue.waiting.begin(), queue.waiting.end(), job);
    if (place != queue.waiting.end())
        queue.waiting.erase(place);
    else if (!limits.may_outlive)
        while (!job->over) co_await job->ended.wait_through();
    co_return fail(cancelled_work());
}

void SimPools::set_delay(Pool pool, Duration low, Duration high) {
    core_->of(pool).delay.emplace(low, high);
}

std::size_t SimPools::size(Pool pool) const {
    const auto& queue = core_->of(pool);
    return queue.waiting.size() + queue.running;
}

}  // namespace ipfscluster
