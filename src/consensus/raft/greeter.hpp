#pragma once
#include "consensus/raft/life.hpp"
#include "consensus/raft/links.hpp"
#include "consensus/raft/roster.hpp"

namespace ipfscluster::raft {

/// How long a peer has that is asked about somebody, and may be down.
inline constexpr Duration kAskLimit = std::chrono::seconds(2);

/// Opens streams to other peers as this node. Owned by the consensus component, on its strand. Its
/// errors are those of `greet`.
class Greeter {
 public:
    Greeter(World& world, net::Host& host, const Roster& roster, Life& life, Duration limit)
        : world_(world), host_(host), roster_(roster), life_(life), limit_(limit) {}

    /// Ends the component when the member says that this node was removed. A removed node does not
    /// always hear of it from the log: the others may agree without it, and the leader drops it at
    /// once.
    Async<Greeted> member(PeerId member, Purpose purpose, NodeId wanted = 0);
    /// Who are you? The stream is closed again.
    Async<HelloReply> probe(PeerId peer);
    /// `Hello::about`, asked of a member.
    Async<HelloReply> about(PeerId member, NodeId node);

 private:
    Async<HelloReply> ask(PeerId peer, Hello hello, Duration limit);

    World& world_;
    net::Host& host_;
    const Roster& roster_;
    Life& life_;
    Duration limit_;
};

}  // namespace ipfscluster::raft
