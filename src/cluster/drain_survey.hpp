#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "cluster/paced.hpp"
#include "cluster/parts.hpp"
#include "cluster/pinner.hpp"
#include "model/drain.hpp"
#include "model/status.hpp"

namespace ipfscluster::cluster {

/// A copy that has been kept for others this long is worth a question why they have none.
inline constexpr Duration kKeptLong = std::chrono::minutes(1);

/// What keeps some items from going on is asked for this long at most.
inline constexpr Duration kExplainLimit = std::chrono::seconds(5);

/// Counts what a member still has that others must have before it may go, and finds out what does
/// not go on. Nothing of it is stored: any peer computes the same, after restarts and changes of
/// the coordinator too. Owned by Cluster, its strand; what it says is as old as this peer's
/// pinset, and where somebody asks again and again as old as Paced makes it. Constant memory: pins
/// are read one by one.
class DrainSurvey {
 public:
    /// What it asks its Cluster.
    struct Questions {
        std::function<Async<GlobalPinInfo>(Cid)> status;
        /// Who has been silent for too long to count as a holder.
        std::function<std::vector<PeerId>()> overdue;
        /// Whether a member can fetch what no member has.
        std::function<bool(const PeerId&)> outside;
    };
    /// The references outlive it.
    DrainSurvey(const ClusterParts& parts, Pinner& pinner, Questions questions);

    /// As it would be, or is, under `cordon`. A peer that is away or does not answer leaves what
    /// only it knows open; this is no failure.
    Async<DrainReport> report(PeerId peer, component::Cordon cordon);
    /// As it is, for whoever watches it.
    Async<DrainReport> progress(PeerId peer);
    /// Pins that are allocated to a peer by name, for whoever watches it.
    Async<std::uint64_t> count_pins(PeerId peer);
    /// What this peer itself has.
    Async<HeldHere> held_here();

 private:
    /// Pins with the same factors and holders can all be moved, or none of them.
    using Case = std::tuple<int, int, std::vector<PeerId>>;
    struct Obstacles {
        std::vector<PeerId> overdue;
        bool alive = false;    ///< the peer itself can give what it has
        bool outside = false;  ///< somebody else could fetch what no member has
        std::map<Case, std::optional<std::string>> known;
    };
    /// What this peer's own pinset and members say of it.
    Async<DrainReport> count(PeerId peer, component::Cordon cordon);
    Async<DrainReport> count_paced(PeerId peer, component::Cordon cordon);
    /// With what the peer says itself.
    Async<DrainReport> complete(DrainReport report, component::Cordon cordon);
    Async<HeldHere> count_held();
    std::optional<std::string> obstacle(const Pin& pin, const PeerId& from, Obstacles& seen);
    std::optional<std::string> find_obstacle(const Pin& pin, const PeerId& from,
                                             const Obstacles& seen);
    Async<> add_waiting(DrainReport* report, HeldHere held);
    asio::awaitable<void> explain(PeerId keeper, StuckItem* item);

    const ClusterParts& parts_;
    Pinner& pinner_;
    Questions questions_;
    Paced<HeldHere> held_;
    /// Of those that somebody watches; of members that were told something.
    struct Watched {
        component::Cordon cordon;
        std::shared_ptr<Paced<DrainReport>> counts;
    };
    std::map<PeerId, Watched> counts_;
};

}  // namespace ipfscluster::cluster
