#pragma once
#include <map>
#include <vector>

#include "cluster/parts.hpp"
#include "cluster/pinner.hpp"
#include "cluster/repin_schedule.hpp"
#include "runtime/task_group.hpp"

namespace ipfscluster::cluster {

/// Gives the pins of dead peers, and at once those of peers that left the cluster, new holders.
/// Runs on every peer but acts only on the coordinator, so that one peer repairs; a walk is
/// repeated until nothing is left to move (RepinSchedule says when), and starts over when the
/// coordinator changes. Owned by Cluster, its strand; whose death it sees is this peer's own view.
class RepinWorker {
 public:
    /// All three outlive it.
    RepinWorker(const ClusterParts& parts, const ClusterOptions& options, Pinner& pinner);

    /// The loop; spawned by the cluster.
    asio::awaitable<void> run();

 private:
    RepinSchedule::View look();
    /// Updates who is dead since when; the peers that have been for longer than the grace time.
    std::vector<PeerId> overdue(const std::vector<PeerId>& members);
    /// One walk over the pinset.
    Async<RepinSchedule::Walk> walk(std::vector<PeerId> dead);

    const ClusterParts& parts_;
    const ClusterOptions& options_;
    Pinner& pinner_;
    RepinSchedule schedule_;
    std::map<PeerId, SteadyTime> dead_since_;
};

}  // namespace ipfscluster::cluster
