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
/// cluster or are drained, new holders. Runs on every peer but acts only where it is this one's
/// duty, and not before those had their time whose duty comes first; a walk is repeated until
/// nothing is left to move (RepinSchedule says when), and starts over when this peer begins to act.
/// Owned by Cluster, its strand; whose death it sees is this peer's own view.
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
    /// Who has been silent for the grace time, not asked.
    std::vector<PeerId> overdue() const { return watch_.suspects(parts_.world.steady_now()); }
    /// Since when a member has been silent.
    std::optional<SteadyTime> silent_since(const PeerId& peer) const {
        return watch_.silent_since(peer);
    }

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
    /// Takes down since when each peer that a walk is for has been lost, or its pins move.
    void note_lost(const std::vector<PeerId>& lost);
    /// Whether this peer moves a pin in need now, or others have time left to.
    bool is_our_turn(const Pin& pin);
    /// Whom a walk is for.
    struct Cause {
        std::vector<PeerId> dead;
        std::set<PeerId> moving;
        std::vector<PeerId> all() const;
    };
    /// Who of them is not here to give what it has, and is not waited for.
    std::vector<PeerId> gone(const Cause& cause);
    /// Whether a peer is overdue, or its pins move, for which the walk did not begin. Looks at the
    /// silences.
    bool others_wait(const RepinSchedule::View& began);
    /// One walk over the pinset.
    Async<RepinSchedule::Walk> walk(Cause cause);

    const ClusterParts& parts_;
    const ClusterOptions& options_;
    Pinner& pinner_;
    Questions questions_;
    RepinSchedule schedule_;
    DeathWatch watch_;
    std::optional<SteadyTime> no_majority_since_;
    bool told_no_majority_ = false;
    std::map<PeerId, SteadyTime> lost_since_;  ///< whose pins the last walk was for
    std::set<PeerId> members_;                 ///< at the last look
    SteadyTime left_since_{};  ///< when one of them was gone, or this peer began to act
    bool acting_ = false;      ///< at the last look
    /// Holders that the last walk met and of which nothing is known.
    std::set<PeerId> unknown_holders_;
};

}  // namespace ipfscluster::cluster
