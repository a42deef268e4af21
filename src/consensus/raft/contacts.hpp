#pragma once
#include <map>
#include <set>

#include "consensus/raft/types.hpp"
#include "multi/peer_id.hpp"
#include "runtime/world.hpp"

namespace ipfscluster::raft {

/// Nodes remembered at once; one more takes the place of the one not heard of for longest.
inline constexpr std::size_t kContactsMax = 256;

/// Nodes that talk to us and are in no table of ours yet: a joiner answers its leader before it has
/// its first snapshot. Owned by the consensus component; its strand.
class Contacts {
 public:
    /// `cluster_id`: that it named.
    void note(NodeId id, PeerId peer, Bytes cluster_id, SteadyTime now);
    void erase(NodeId id) { contacts_.erase(id); }
    /// Empty when nothing is known of it.
    PeerId peer_of(NodeId id) const;
    /// Empty when it named none, or is not known.
    Bytes cluster_of(NodeId id) const;
    std::set<PeerId> peers() const;
    std::size_t size() const { return contacts_.size(); }

 private:
    struct Contact {
        PeerId peer;
        Bytes cluster_id;
        SteadyTime heard{};
    };
    std::map<NodeId, Contact> contacts_;
};

}  // namespace ipfscluster::raft
