#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include "runtime/world.hpp"

namespace ipfscluster {

/// Threads for work that blocks (design 8): enough for one sync beside one scan.
inline constexpr int kBlockingThreads = 2;

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
    Async<> run_blocking(std::function<void()> work) override;

    /// Waits for running blocking work and ends the pool.
    void join();

 private:
    asio::io_context& io_;
    asio::thread_pool pool_;
};

}  // namespace ipfscluster
