#pragma once
#include <optional>
#include <vector>

#include "cluster/peer_client.hpp"
#include "component/membership.hpp"
#include "runtime/signal.hpp"
#include "runtime/world.hpp"

namespace ipfscluster::cluster {

/// Longest wait for a word about an unknown caller.
inline constexpr Duration kCallerLimit = std::chrono::seconds(2);
/// Pause between two such questions, however many callers wait for a word.
inline constexpr Duration kCallerPause = std::chrono::milliseconds(250);
/// How long a peer that was named as a member is one without another question.
inline constexpr Duration kCallerKnown = std::chrono::seconds(10);

/// Finds out whether a caller is a member of which this peer, which lags behind, has not heard: it
/// asks the best informed member who the members are. One question runs at a time and answers all
/// who came before it began. Owned by Peer, its strand; what it refers to outlives it.
class CallerCheck {
 public:
    CallerCheck(World& world, component::Membership& members, PeerClient& peers)
        : world_(world), members_(members), peers_(peers), asked_(world.executor()) {}

    /// `unsure`: why the caller counts as none here. `denied` with that text when the member asked
    /// says the same; `retryable` when nobody could be asked or answered in time.
    Async<> confirm(PeerId caller, Error unsure);

 private:
    /// The members as another one named them.
    struct Told {
        SteadyTime as_of;  ///< when the question began
        std::vector<PeerId> members;
        bool names(const PeerId& peer) const;
    };
    Async<> ask();

    World& world_;
    component::Membership& members_;
    PeerClient& peers_;
    bool asking_ = false;
    Signal asked_;  ///< a question has ended
    std::optional<SteadyTime> last_asked_;
    std::optional<Told> told_;
};

}  // namespace ipfscluster::cluster
