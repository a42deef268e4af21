#pragma once
#include "component/pinset_log.hpp"
#include "storage/store.hpp"

namespace ipfscluster::cluster {

/// A peer whose database has not ended a sync for this long is as good as dead: what it is told to
/// hold it cannot even note.
inline constexpr Duration kSyncAgeMax = std::chrono::seconds(30);

/// Whether this peer may count as alive: its consensus runs and its disk still syncs. Pings are
/// sent, and the question whether it lives is answered, only while it may. Owned by Cluster,
/// outlived by its parts; its strand.
class Vitals {
 public:
    Vitals(World& world, component::PinsetLog& log, storage::Store& store)
        : world_(world), log_(log), store_(store) {}

    /// Waits for the end of consensus; spawned by the cluster.
    asio::awaitable<void> watch();
    /// `unavailable` with the reason when it may not count as alive.
    Result<> check() const;

 private:
    World& world_;
    component::PinsetLog& log_;
    storage::Store& store_;
    bool ended_ = false;
};

}  // namespace ipfscluster::cluster
