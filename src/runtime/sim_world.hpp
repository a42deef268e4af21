#pragma once
#include <boost/asio/io_context.hpp>
#include <map>
#include <random>

#include "runtime/signal.hpp"
#include "runtime/sim_pools.hpp"
#include "runtime/world.hpp"

namespace ipfscluster {

/// The simulated World: virtual time, a seeded generator, blocking work done inline after a seeded
/// delay by as many servers as production has threads. Any number of peers share one SimWorld in
/// one thread; the same seed gives the same run.
class SimWorld final : public World {
 public:
    explicit SimWorld(std::uint64_t seed);
    ~SimWorld() override;

    asio::any_io_executor executor() override { return io_.get_executor(); }
    SteadyTime steady_now() override { return now_; }
    Time system_now() override;
    std::uint64_t random_u64() override { return random_(); }
    Async<> sleep_until(SteadyTime when) override;
    Async<> run_blocking(Pool pool, std::function<void()> work) override;

    /// Uniform in [low, high]; for fault schedules.
    std::uint64_t random_between(std::uint64_t low, std::uint64_t high);
    /// Blocking work ends after a uniform delay in this range (default 50 µs to 2 ms).
    void set_blocking_delay(Duration low, Duration high);
    std::pair<Duration, Duration> blocking_delay() const { return {blocking_low_, blocking_high_}; }
    /// Calls `due` from `step` once the clock shows `when`. For simulated parts of a machine.
    void call_at(SteadyTime when, std::function<void()> due);
    SimPools& pools() { return pools_; }

    /// Runs everything that is ready, then jumps to the next timer. False when nothing is left.
    bool step();
    /// Steps until `done()` or until `limit` of virtual time has passed; true when done.
    bool run_until(const std::function<bool()>& done, Duration limit);
    /// Steps through `span` of virtual time.
    void run_for(Duration span);
    /// Handlers run so far: part of the trace that replays compare.
    std::uint64_t events() const { return events_; }
    asio::io_context& io() { return io_; }

 private:
    asio::io_context io_;
    std::mt19937_64 random_;
    SteadyTime now_{};
    std::uint64_t next_id_ = 0;
    std::uint64_t events_ = 0;
    Duration blocking_low_ = std::chrono::microseconds(50);
    Duration blocking_high_ = std::chrono::milliseconds(2);
    std::map<std::pair<SteadyTime, std::uint64_t>, std::function<void()>> timers_;
    SimPools pools_{*this};
};

}  // namespace ipfscluster
