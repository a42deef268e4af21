#include "consensus/raft/contacts.hpp"

#include <algorithm>

namespace ipfscluster::raft {

void Contacts::note(NodeId id, PeerId peer, Bytes cluster_id, SteadyTime now) {
    if (!contacts_.contains(id) && contacts_.size() >= kContactsMax)
        contacts_.erase(std::min_element(
            contacts_.begin(), contacts_.end(),
            [](const auto& a, const auto& b) { return a.second.heard < b.second.heard; }));
    contacts_[id] = {std::move(peer), std::move(cluster_id), now};
}

PeerId Contacts::peer_of(NodeId id) const {
    const auto found = contacts_.find(id);
    return found == contacts_.end() ? PeerId{} : found->second.peer;
}

Bytes Contacts::cluster_of(NodeId id) const {
    const auto found = contacts_.find(id);
    return found == contacts_.end() ? Bytes{} : found->second.cluster_id;
}

std::set<PeerId> Contacts::peers() const {
    std::set<PeerId> distinct;
    for (const auto& [id, contact] : contacts_) distinct.insert(contact.peer);
    return distinct;
}

}  // namespace ipfscluster::raft
