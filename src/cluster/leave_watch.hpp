#pragma once
#include <functional>
#include <map>
#include <string>

#include "cluster/drain_survey.hpp"
#include "cluster/parts.hpp"
#include "cluster/removal_check.hpp"

namespace ipfscluster::cluster {

/// Follows the members whose pins move: removes one that is to leave once its copies are elsewhere,
/// and tells the operator, once, when a move does not go on. Runs on every peer but acts on the
/// coordinator only. What it does depends on what is so at the moment, so another coordinator goes
/// on where this one stopped. Owned by Cluster, its strand.
class LeaveWatch {
 public:
    /// Rows of what all members say.
    using Statuses = std::function<SourcePtr<GlobalPinInfo>()>;
    /// The references outlive it.
    LeaveWatch(const ClusterParts& parts, const ClusterOptions& options, DrainSurvey& survey,
               Statuses statuses);

    /// The loop; spawned by the cluster.
    asio::awaitable<void> run();
    /// Items that would not have their minimum any more, as far as members are here to say so,
    /// if `peer` were removed now. Of a peer that is silent nobody knows what it has: then all
    /// items count.
    Async<RemovalLoss> count_lack(PeerId peer, bool silent);

 private:
    /// How a move goes on.
    struct Progress {
        Time cordoned{};
        std::uint64_t left = 0;
        SteadyTime since{};
        bool kept_known = false;
        bool told = false;
        SteadyTime next{};  ///< not looked at before: it is empty and stays
    };
    Async<> look();
    Async<> look_at(PeerId peer, component::Cordon cordon);
    /// Removes a peer that has nothing any more which others do not have; why not yet.
    Async<std::string> try_remove(PeerId peer, DrainReport report);
    void note(const DrainReport& report, std::string hindrance);

    const ClusterParts& parts_;
    const ClusterOptions& options_;
    DrainSurvey& survey_;
    Statuses statuses_;
    std::map<PeerId, Progress> moves_;
};

}  // namespace ipfscluster::cluster
