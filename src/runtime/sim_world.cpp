#include "runtime/sim_world.hpp"

#include <boost/asio/this_coro.hpp>

namespace ipfscluster {

namespace {
/// 2026-01-01T00:00:00Z: any fixed instant that is not the "unset" time.
constexpr std::chrono::seconds kSimEpoch{1767225600};
}  // namespace

// One thread: nothing has to be locked.
SimWorld::SimWorld(std::uint64_t seed) : io_(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE), random_(seed) {
    now_ += std::chrono::hours(1);
}

SimWorld::~SimWorld() = default;

Time SimWorld::system_now() {
    return Time(kSimEpoch) + (now_ - SteadyTime{});
}

std::uint64_t SimWorld::random_between(std::uint64_t low, std::uint64_t high) {
    // Not std::uniform_int_distribution: its sequence differs between libraries.
    return low + random_() % (high - low + 1);
}

void SimWorld::set_blocking_delay(Duration low, Duration high) {
    blocking_low_ = low;
    blocking_high_ = high;
}

Async<> SimWorld::sleep_until(SteadyTime when) {
    Signal signal(io_.get_executor());
    const auto key = std::make_pair(std::max(when, now_), next_id_++);
    timers_.emplace(key, [&signal] { signal.notify_one(); });
    auto woken = co_await signal.wait();
    timers_.erase(key);
    co_return woken;
}

Async<> SimWorld::run_blocking(Pool pool, std::function<void()> work) {
    auto done = co_await pools_.run(pool, std::move(work));
    co_return done;
}

void SimWorld::call_at(SteadyTime when, std::function<void()> due) {
    timers_.emplace(std::make_pair(std::max(when, now_), next_id_++), std::move(due));
}

bool SimWorld::step() {
    io_.restart();
    const auto ran = io_.poll_one();
    if (ran > 0) {
        ++events_;
        return true;
    }
    if (timers_.empty()) return false;
    const auto first = timers_.begin();
    now_ = std::max(now_, first->first.first);
    const auto due = std::move(first->second);
    timers_.erase(first);
    due();
    return true;
}

bool SimWorld::run_until(const std::function<bool()>& done, Duration limit) {
    const auto end = now_ + std::chrono::duration_cast<SteadyTime::duration>(limit);
    while (!done()) {
        if (now_ > end) return false;
        if (!step()) return done();
    }
    return true;
}

void SimWorld::run_for(Duration span) {
    bool over = false;
    const auto end = now_ + std::chrono::duration_cast<SteadyTime::duration>(span);
    // A sleeper of our own makes the clock reach `end` even when nothing else happens.
    Signal own(io_.get_executor());
    const auto key = std::make_pair(end, next_id_++);
    timers_.emplace(key, [&own] { own.notify_one(); });
    while (!over) {
        if (now_ >= end) {
            io_.restart();
            over = io_.poll_one() == 0;
            if (!over) ++events_;
            continue;
        }
        if (!step()) over = true;
    }
    // Another timer due at the same instant may have ended the loop first.
    timers_.erase(key);
}

}  // namespace ipfscluster
