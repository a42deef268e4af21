#pragma once
#include <functional>
#include <map>
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

/// Holders looked out for of which nothing is known.
inline constexpr std::size_t kUnknownHoldersMax = 256;

/// Gives the pins of dead peers (DeathWatch says who is), and at once those of peers that left the
/// cluster, new holders. Runs on every peer but acts only where it is this one's duty, and not
/// before those had their time whose duty comes first; a walk is repeated until nothing is left to
/// move (RepinSchedule says when), and starts over when this peer begins to act. Owned by Cluster,
/// its strand; whose death it sees is this peer's own view.
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
    /// Whether a peer is overdue that was not when the walk began. Looks at the silences.
    bool others_are_overdue(const std::vector<PeerId>& suspected);
    /// Takes down since when each of `dead` is.
    void note_dead(const std::vector<PeerId>& dead);
    /// Whether this peer moves a pin in need now, or others have time left to.
    bool is_our_turn(const Pin& pin);
    /// One walk over the pinset.
    Async<RepinSchedule::Walk> walk(std::vector<PeerId> dead);

    const ClusterParts& parts_;
    const ClusterOptions& options_;
    Pinner& pinner_;
    Questions questions_;
    RepinSchedule schedule_;
    DeathWatch watch_;
    std::optional<SteadyTime> no_majority_since_;
    bool told_no_majority_ = false;
    std::map<PeerId, SteadyTime> dead_since_;  ///< whose pins the last walk was for
    std::set<PeerId> members_;                 ///< at the last look
    SteadyTime left_since_{};  ///< when one of them was gone, or this peer began to act
    bool acting_ = false;      ///< at the last look
    /// Holders that the last walk met and of which nothing is known.
    std::set<PeerId> unknown_holders_;
};

}  // namespace ipfscluster::cluster
