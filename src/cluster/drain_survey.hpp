#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "cluster/parts.hpp"
#include "cluster/pinner.hpp"
#include "model/drain.hpp"
#include "model/status.hpp"

namespace ipfscluster::cluster {

/// A copy that has been kept for others this long is worth a question why they have none.
inline constexpr Duration kKeptLong = std::chrono::minutes(1);

/// Counts what a member still has that others must have before it may go, and finds out what does
/// not go on. Nothing of it is stored: any peer computes the same, after restarts and changes of
/// the coordinator too. Owned by Cluster, its strand; what it says is as old as this peer's
/// pinset. Constant memory: pins are read one by one.
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
    /// Pins that are allocated to a peer by name.
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
    Async<> count(DrainReport* report, bool moves);
    std::optional<std::string> obstacle(const Pin& pin, const PeerId& from, Obstacles& seen);
    std::optional<std::string> find_obstacle(const Pin& pin, const PeerId& from,
                                             const Obstacles& seen);
    Async<> add_waiting(DrainReport* report, HeldHere held);

    const ClusterParts& parts_;
    Pinner& pinner_;
    Questions questions_;
};

}  // namespace ipfscluster::cluster
