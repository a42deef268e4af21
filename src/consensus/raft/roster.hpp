#pragma once
#include <vector>

#include "consensus/raft/contacts.hpp"
#include "consensus/raft/log_store.hpp"
#include "consensus/raft/wire.hpp"

namespace ipfscluster::raft {

/// Who is who: the members and nodes as far as the log is applied here, who talks to us without
/// being among them yet, and who we are. Owned by the consensus component, on its strand. No I/O.
class Roster {
 public:
    Roster(const LogStore& log, PeerId self, std::uint32_t feature_level)
        : log_(log), self_(std::move(self)), feature_level_(feature_level) {}

    const PeerId& self() const { return self_; }
    /// 0: not known yet.
    NodeId node() const { return node_; }
    void become(NodeId node) { node_ = node; }
    /// The cluster that is being founded; empty: none.
    void expect_cluster(Bytes id) { expected_cluster_id_ = std::move(id); }

    const std::vector<Member>& members() const { return log_.members(); }
    bool has(NodeId id) const;
    bool is_member() const { return has(node_); }
    /// Nothing: no such node was ever added, as far as is known here.
    const NodeRecord* record(NodeId id) const;
    bool is_removed(NodeId id) const;
    /// Whose node that is, if it was not removed, or will be by an entry that is not applied yet;
    /// empty: nobody's.
    PeerId expected_peer(NodeId id) const;
    /// Distinct, in order.
    std::vector<PeerId> peers() const;
    std::vector<PeerId> voters() const;
    std::size_t voter_count() const;
    std::vector<NodeId> nodes_of(const PeerId& peer) const;
    /// Empty when nothing is known of it. Before its first snapshot a joiner knows its leader only
    /// from the stream.
    PeerId peer_of(NodeId id) const;

    /// What we say of ourselves to that node, 0: to whoever is there.
    Hello hello(Purpose purpose, NodeId wanted = 0) const;

    Contacts& contacts() { return contacts_; }
    const Contacts& contacts() const { return contacts_; }

 private:
    std::vector<PeerId> distinct_peers(bool learners) const;

    const LogStore& log_;
    PeerId self_;
    std::uint32_t feature_level_;
    NodeId node_ = 0;
    Bytes expected_cluster_id_;
    Contacts contacts_;
};

}  // namespace ipfscluster::raft
