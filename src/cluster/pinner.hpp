#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cluster/clock_watch.hpp"
#include "cluster/cordons.hpp"
#include "cluster/given_table.hpp"
#include "cluster/pin_planner.hpp"
#include "component/allocator.hpp"
#include "component/ipfs_connector.hpp"
#include "component/membership.hpp"
#include "component/peer_monitor.hpp"
#include "component/pinset_log.hpp"
#include "state/state.hpp"

namespace ipfscluster::cluster {

/// Times a change is planned because other operations on the CID came first.
inline constexpr int kPlanAttemptsMax = 3;
/// How long this peer waits until everything committed before is applied here.
inline constexpr Duration kSyncLimit = std::chrono::seconds(15);

/// What the Pinner works with; all outlive it.
struct PinnerParts {
    World& world;
    state::State& state;
    component::PinsetLog& log;
    component::Membership& members;
    component::IpfsConnector& ipfs;
    component::PeerMonitor& monitor;
    component::Allocator& allocator;
    ClockWatch& clocks;
};

struct PinnerOptions {
    PinDefaults defaults;
    bool follower = false;  ///< requests are refused
};

/// What came of a try to give a pin new holders.
enum class Repin {
    moved,        ///< it was in need and was given new peers
    no_need,      ///< what others have done to it meanwhile stands
    holder_back,  ///< no need for now: one of the dead lives
    no_source     ///< in need, but nobody who is alive could fetch it
};

/// Every change this peer makes to the pinset: requests, adds, expiry, repair and what moves
/// because an operator said so. Each reads what stands now, plans on it, chooses peers and commits;
/// when another operation on the CID came first it is planned again, kPlanAttemptsMax times in all.
/// Owned by Cluster, its strand. A failure of the plan comes as it is, one of the commit names the
/// CID.
class Pinner {
 public:
    Pinner(PinnerParts parts, PinnerOptions options);

    const PinDefaults& defaults() const { return options_.defaults; }
    /// `denied` where this peer only follows.
    Result<> check_writable() const;

    /// The pin as it was committed.
    Async<Pin> pin(Pin wish);
    Async<Pin> pin_path(std::string path, PinOptions options);
    /// The pin as it was. `not_found`: component::kPinNotFound.
    Async<Pin> unpin(Cid cid);
    Async<Pin> unpin_path(std::string path);
    /// Gives a pin other holders than `dead` and those whose pins move, if it is still in need of
    /// them. It comes to none of `barred`.
    Async<Repin> repin(Cid cid, std::vector<PeerId> dead, std::vector<PeerId> barred = {});
    /// Gives a pin that `holder` cannot hold to others, where without it the pin is below its
    /// minimum.
    Async<Repin> give_away(Cid cid, PeerId holder);
    /// Removes a pin that has expired by `now`; false when it has not, or is gone.
    Async<bool> expire(Cid cid, Time now);
    /// A pin that is not here may have been acknowledged by another peer a moment ago: "absent" is
    /// said only of a state that is current, or, where nobody can know that, complete;
    /// `unavailable` else.
    Async<std::optional<state::StoredPin>> get_current(Cid cid);
    /// Whether a pin could be moved away from `from` now, where `dead` hold nothing; why not.
    /// Changes nothing.
    Result<> could_move(const Pin& pin, const PeerId& from, const std::vector<PeerId>& dead);
    /// Peers that get the blocks of an add with these options: everyone alive when the factors say
    /// everywhere.
    Async<std::vector<PeerId>> allocate_blocks(Pin pin);
    /// Forgets what was given to peers that are none of `members`.
    void forget_others(const std::vector<PeerId>& members) { given_.keep_only(members); }
    /// Peers of which is remembered what they were given.
    std::size_t given_to() const { return given_.size(); }

 private:
    /// What a planner made of what stands now.
    struct Decision {
        std::optional<PinPlan> plan;  ///< nothing: there is nothing to do
        bool holder_back = false;
        bool no_source = false;
    };
    /// Who may hold a pin.
    struct Choice {
        std::vector<PeerId> holders;    ///< hold it now
        std::vector<PeerId> blacklist;  ///< must not
        std::vector<PeerId> away;       ///< hold it, are silent, and stay holders
        bool movers_may_stay = false;   ///< where too few others are, those whose pins move stay
    };
    /// Of a pin that `dead` do not hold any more: who is silent for now stays a holder.
    Choice choice_of(const Pin& pin, const std::vector<PeerId>& dead,
                     const std::set<PeerId>& moving) const;
    using Planner = std::function<Async<Decision>()>;
    /// The one loop: plans, commits, and plans again. The last decision, carried out. `what` is
    /// said of a failed commit.
    Async<Decision> change(std::string what, Planner planner);

    Async<Decision> plan_wish(Pin wish);
    Async<Decision> plan_removal(Cid cid);
    Async<Decision> plan_part_removal(Cid cid);
    Async<Decision> plan_repin(Cid cid, std::vector<PeerId> dead, std::vector<PeerId> barred);
    Async<Decision> plan_gift(Cid cid, PeerId holder);
    Async<Decision> plan_holders(state::StoredPin stored, Choice choice);
    Async<Decision> plan_expiry(Cid cid, Time now);

    Async<> unpin_part(Cid cid);
    Async<> unpin_shards(Cid root, Cid cluster_dag);
    /// Gives the pin of a plan peers.
    Result<> allocate(PinPlan& plan, const Choice& choice);
    /// The caller chose the holders, or an update copied them: those that have died or left since
    /// are replaced, in a copy also those that take no new pins; the others stay. An error when too
    /// few are left.
    Result<> replace_lost(PinPlan& plan, bool copied);
    Result<std::vector<PeerId>> choose_peers(const Pin& pin, const Choice& choice);
    Result<std::vector<PeerId>> choose_among(const Pin& pin, const Choice& choice,
                                             const std::set<PeerId>& barred);
    /// As they count now, where `dead` are known to be.
    Cordons cordons(const std::vector<PeerId>& dead) const;
    /// A wish that names a peer which takes no pins is refused, unless that peer has the item
    /// already and may keep it.
    Result<> check_named(const Pin& wish, const std::optional<state::StoredPin>& existing) const;

    PinnerParts parts_;
    PinnerOptions options_;
    GivenTable given_;
};

}  // namespace ipfscluster::cluster
