#pragma once
#include <array>
#include <boost/asio/io_context.hpp>

#include "runtime/blocking_pool.hpp"
#include "runtime/world.hpp"

namespace ipfscluster {

/// The production World over an io_context that main runs on one thread. Outlives all components;
/// `join` after the io_context stopped.
class AsioWorld final : public World {
 public:
    explicit AsioWorld(asio::io_context& io);
    ~AsioWorld() override;

    asio::any_io_executor executor() override;
    SteadyTime steady_now() override;
    Time system_now() override;
    std::uint64_t random_u64() override;
    Async<> sleep_until(SteadyTime when) override;
    Async<> run_blocking(Pool pool, std::function<void()> work) override;

    /// Waits for blocking work, but for look-ups, and ends its threads.
    void join();

 private:
    asio::io_context& io_;
    std::array<BlockingPool, kPoolCount> pools_{BlockingPool(limits_of(Pool::bulk)),
                                                BlockingPool(limits_of(Pool::log_sync)),
                                                BlockingPool(limits_of(Pool::names))};
};

}  // namespace ipfscluster
