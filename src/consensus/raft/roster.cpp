#include "consensus/raft/roster.hpp"

#include <algorithm>

namespace ipfscluster::raft {

bool Roster::has(NodeId id) const {
    return std::any_of(members().begin(), members().end(),
                       [id](const Member& member) { return member.id == id; });
}

const NodeRecord* Roster::record(NodeId id) const {
    const auto found = log_.nodes().find(id);
    return found == log_.nodes().end() ? nullptr : &found->second;
}

bool Roster::is_removed(NodeId id) const {
    const auto* known = record(id);
    return known != nullptr && known->removed;
}

PeerId Roster::expected_peer(NodeId id) const {
    if (const auto* known = record(id)) return known->removed ? PeerId{} : known->peer;
    for (const auto& [index, addition] : log_.additions_ahead())
        if (addition.node == id) return addition.peer;
    return {};
}

std::vector<PeerId> Roster::distinct_peers(bool learners) const {
    std::set<PeerId> distinct;
    for (const auto& member : members())
        if (learners || !member.learner) distinct.insert(peer_of(member.id));
    distinct.erase(PeerId{});
    return {distinct.begin(), distinct.end()};
}

std::vector<PeerId> Roster::peers() const {
    return distinct_peers(true);
}

std::vector<PeerId> Roster::voters() const {
    return distinct_peers(false);
}

std::size_t Roster::voter_count() const {
    return static_cast<std::size_t>(std::count_if(
        members().begin(), members().end(), [](const Member& member) { return !member.learner; }));
}

std::vector<NodeId> Roster::nodes_of(const PeerId& peer) const {
    std::vector<NodeId> out;
    for (const auto& member : members())
        if (peer_of(member.id) == peer) out.push_back(member.id);
    return out;
}

PeerId Roster::peer_of(NodeId id) const {
    const auto* known = record(id);
    return known != nullptr ? known->peer : contacts_.peer_of(id);
}

Hello Roster::hello(Purpose purpose, NodeId wanted) const {
    Hello out;
    out.purpose = purpose;
    out.node = node_;
    out.cluster_id = log_.cluster_id().empty() ? expected_cluster_id_ : log_.cluster_id();
    // A joiner has been told by whoever took it in.
    if (out.cluster_id.empty()) out.cluster_id = contacts_.cluster_of(wanted);
    out.wanted = wanted;
    out.feature_level = feature_level_;
    return out;
}

}  // namespace ipfscluster::raft
