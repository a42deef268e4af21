#include "net/address_book.hpp"

#include <algorithm>

namespace ipfscluster::net {

void AddressBook::add(const PeerId& peer, const std::vector<Multiaddr>& addresses) {
    put(peer, addresses, true);
}

void AddressBook::learn(const PeerId& peer, const std::vector<Multiaddr>& addresses) {
    put(peer, addresses, false);
}

void AddressBook::put(const PeerId& peer, const std::vector<Multiaddr>& addresses, bool keep) {
    if (peer.empty() || addresses.empty()) return;
    if (!entries_.contains(peer) && !make_room(keep)) return;
    auto& entry = entries_[peer];
    entry.touched = ++clock_;
    entry.kept = entry.kept || keep;
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

bool AddressBook::make_room(bool for_kept) {
    if (entries_.size() < kKnownPeersMax) return true;
    const auto oldest =
        std::min_element(entries_.begin(), entries_.end(), [](const auto& a, const auto& b) {
            return std::pair(a.second.kept, a.second.touched) <
                   std::pair(b.second.kept, b.second.touched);
        });
    if (oldest->second.kept && !for_kept) return false;
    entries_.erase(oldest);
    return true;
}

void AddressBook::keep(const PeerId& peer, bool kept, bool connected) {
    const auto found = entries_.find(peer);
    if (found == entries_.end()) return;
    found->second.kept = kept;
    if (!kept && !connected) entries_.erase(found);
}

void AddressBook::connection_ended(const PeerId& peer) {
    const auto found = entries_.find(peer);
    if (found != entries_.end() && !found->second.kept) entries_.erase(found);
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

std::vector<PeerId> AddressBook::kept() const {
    std::vector<PeerId> out;
    for (const auto& [peer, entry] : entries_)
        if (entry.kept) out.push_back(peer);
    return out;
}

}  // namespace ipfscluster::net
