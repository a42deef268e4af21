#pragma once
#include <functional>
#include <memory>

#include "runtime/async.hpp"
#include "runtime/pool.hpp"

namespace ipfscluster {

class SimWorld;

/// The blocking work of one simulated machine: as many servers and places as the threads and queues
/// of production, first come, first served, each piece of work done at once after a seeded delay.
/// Owned by a simulated World, outlived by the SimWorld; its strand. Work that has begun ends even
/// where nobody waits for it any more.
class SimPools {
 public:
    explicit SimPools(SimWorld& world);

    /// What World::run_blocking promises.
    Async<> run(Pool pool, std::function<void()> work);
    /// Work of this kind that is asked for from now on takes a uniform time in this range, instead
    /// of the SimWorld's own. A look-up of half a minute is a silent name server.
    void set_delay(Pool pool, std::chrono::nanoseconds low, std::chrono::nanoseconds high);
    /// Waiting and running work of one kind.
    std::size_t size(Pool pool) const;

 private:
    struct Job;
    struct Core;
    std::shared_ptr<Core> core_;  ///< shared with the timers of running work
};

}  // namespace ipfscluster
