#pragma once
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cluster/death_watch.hpp"
#include "cluster/parts.hpp"
#include "cluster/pinner.hpp"
#include "cluster/repin_schedule.hpp"
#include "runtime/task_group.hpp"

namespace ipfscluster::cluster {

/// Gives the pins of dead peers (DeathWatch says who is), and at once those of peers that left the
/// cluster, new holders. Runs on every peer but acts only on the coordinator, so that one peer
/// repairs; a walk is repeated until nothing is left to move (RepinSchedule says when), and starts
/// over when the coordinator changes. Owned by Cluster, its strand; whose death it sees is this
/// peer's own view.
class RepinWorker {
 public:
    /// What it asks its Cluster.
    struct Questions {
        std::function<Async<GlobalPinInfo>(Cid)> status;
        /// Whether a member can fetch what no member has.
        std::function<bool(const PeerId&)> outside;
    };
    /// The three references outlive it.
    RepinWorker(const ClusterParts& parts, const ClusterOptions& options, Pinner& pinner,
                Questions questions);

    /// The loop; spawned by the cluster.
    asio::awaitable<void> run();

 private:
    RepinSchedule::View look();
    /// Who of `view.overdue` is dead indeed, asked before a walk; nothing when none may begin now.
    Async<std::optional<std::vector<PeerId>>> confirm(RepinSchedule::View view);
    /// Whether a majority of the voters is seen; tells the operator, once, when it is not for long.
    bool may_walk(const std::set<PeerId>& seen);
    void tell(std::string text);
    /// Who may not be given a pin whose holders are all dead: where nobody who is here has a copy,
    /// all that cannot fetch it from outside.
    Async<std::vector<PeerId>> barred_from(Pin pin, std::vector<PeerId> dead);
    /// One walk over the pinset.
    /// Whether a peer is overdue that was not when the walk began. Looks at the silences.
    bool others_are_overdue(const std::vector<PeerId>& suspected);
    Async<RepinSchedule::Walk> walk(std::vector<PeerId> dead);

    const ClusterParts& parts_;
    const ClusterOptions& options_;
    Pinner& pinner_;
    Questions questions_;
    RepinSchedule schedule_;
    DeathWatch watch_;
    std::optional<SteadyTime> no_majority_since_;
    bool told_no_majority_ = false;
};

}  // namespace ipfscluster::cluster
