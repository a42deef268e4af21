#pragma once
#include "runtime/sim_world.hpp"

namespace ipfscluster {

/// One peer's view of a SimWorld: a wall clock of its own, which may be off and may jump, and
/// threads of its own for blocking work; everything else is shared with the other peers. Owned by
/// the test, outlived by the SimWorld and outlives the peer's components; the world's strand.
class SimPeerWorld final : public World {
 public:
    explicit SimPeerWorld(SimWorld& shared) : shared_(shared) {}

    asio::any_io_executor executor() override { return shared_.executor(); }
    SteadyTime steady_now() override { return shared_.steady_now(); }
    Time system_now() override { return shared_.system_now() + ahead_; }
    std::uint64_t random_u64() override { return shared_.random_u64(); }
    Async<> sleep_until(SteadyTime when) override { return shared_.sleep_until(when); }
    Async<> run_blocking(Pool pool, std::function<void()> work) override {
        return pools_.run(pool, std::move(work));
    }

    /// From now on the wall clock shows this much more than the true time, or less.
    void set_clock_ahead(Duration ahead) { ahead_ = ahead; }
    Duration clock_ahead() const { return ahead_; }
    /// Its threads: which work takes how long.
    SimPools& pools() { return pools_; }

 private:
    SimWorld& shared_;
    Duration ahead_ = Duration::zero();
    SimPools pools_{shared_};
};

}  // namespace ipfscluster
