#pragma once
#include <set>

#include "consensus/raft/greeter.hpp"

namespace ipfscluster::raft {

/// Strangers that are asked about at once; more are told to come later.
inline constexpr std::size_t kVouchedAtOnceMax = 8;

/// Asks a member about a node that is unknown here: a follower that was away may be behind by the
/// entries which added whoever leads now, and hears of them from nobody else. One question per
/// stream, to one member after another. Owned by the consensus component, on its strand.
class Vouching {
 public:
    Vouching(Greeter& greeter, const Roster& roster) : greeter_(greeter), roster_(roster) {}

    /// Whether a member that is known here says that the node is one, and of that peer. A member of
    /// a build that cannot say is believed, since without the node its peer may never catch up.
    Async<bool> ask(NodeId node, PeerId peer);

 private:
    PeerId next_to_ask(const PeerId& about);

    Greeter& greeter_;
    const Roster& roster_;
    std::set<NodeId> asking_;
    PeerId last_asked_;
};

}  // namespace ipfscluster::raft
