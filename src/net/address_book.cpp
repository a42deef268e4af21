#include "net/address_book.hpp"

#include <algorithm>

namespace ipfscluster::net {

void AddressBook::add(const PeerId& peer, const std::vector<Multiaddr>& addresses) {
    if (peer.empty() || addresses.empty()) return;
    if (!entries_.contains(peer)) make_room();
    auto& entry = entries_[peer];
    entry.touched = ++clock_;
    for (const auto& address : addresses) {
        const auto named = address.peer_id();
        auto bare = address.without_peer();
        if ((named && *named != peer) || bare.empty()) continue;
        auto& known = entry.addresses;
        if (std::find(known.begin(), known.end(), bare) != known.end()) continue;
        if (known.size() >= kAddressesPerPeerMax) known.erase(known.begin());
        known.push_back(std::move(bare));
    }
    if (entry.addresses.empty()) entries_.erase(peer);
}

void AddressBook::make_room() {
    if (entries_.size() < kKnownPeersMax) return;
    entries_.erase(std::min_element(
        entries_.begin(), entries_.end(),
        [](const auto& a, const auto& b) { return a.second.touched < b.second.touched; }));
}

std::vector<Multiaddr> AddressBook::of(const PeerId& peer) const {
    const auto found = entries_.find(peer);
    return found == entries_.end() ? std::vector<Multiaddr>{} : found->second.addresses;
}

std::vector<PeerId> AddressBook::peers() const {
    std::vector<PeerId> out;
    out.reserve(entries_.size());
    for (const auto& [peer, entry] : entries_) out.push_back(peer);
    return out;
}

}  // namespace ipfscluster::net
