#pragma once
#include "component/pinset_log.hpp"
#include "storage/store.hpp"

namespace ipfscluster::cluster {

/// A peer whose database has not ended a sync for this long is as good as dead: what it is told to
/// hold it cannot even note.
inline constexpr Duration kSyncAgeMax = std::chrono::seconds(30);

/// A disk that hangs is noticed within this time, also where nobody writes.
inline constexpr Duration kDiskAskedAtLeast = std::chrono::seconds(10);

/// Whether this peer may count as alive: its consensus runs and its disk still syncs, which is
/// asked now and then where nobody writes. Pings are sent, and the question whether it lives is
/// answered, only while it may. Owned by Cluster, outlived by its parts; its strand.
class Vitals {
 public:
    Vitals(World& world, component::PinsetLog& log, storage::Store& store)
        : world_(world), log_(log), store_(store) {}

    /// Waits for the end of consensus; spawned by the cluster.
    asio::awaitable<void> watch();
    /// Asks the disk; spawned by the cluster. That it fails, everybody who writes is told.
    asio::awaitable<void> watch_disk();
    /// `unavailable` with the reason when it may not count as alive.
    Result<> check() const;

 private:
    World& world_;
    component::PinsetLog& log_;
    storage::Store& store_;
    bool ended_ = false;
};

}  // namespace ipfscluster::cluster
