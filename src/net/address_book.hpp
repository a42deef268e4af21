#pragma once
#include <cstdint>
#include <map>
#include <vector>

#include "multi/multiaddr.hpp"
#include "multi/peer_id.hpp"

namespace ipfscluster::net {

/// Peers whose addresses are remembered; the one not touched for longest goes first.
inline constexpr std::size_t kKnownPeersMax = 4096;
/// Addresses remembered of one peer; the oldest goes first.
inline constexpr std::size_t kAddressesPerPeerMax = 32;

/// The addresses a host knows of other peers, kept without their `/p2p/<id>` part, in the order
/// they became known. Owned by a host; its strand.
class AddressBook {
 public:
    /// Adds what is new; an address that names another peer is skipped.
    void add(const PeerId& peer, const std::vector<Multiaddr>& addresses);
    std::vector<Multiaddr> of(const PeerId& peer) const;
    std::vector<PeerId> peers() const;

 private:
    struct Entry {
        std::vector<Multiaddr> addresses;
        std::uint64_t touched = 0;
    };
    void make_room();

    std::map<PeerId, Entry> entries_;
    std::uint64_t clock_ = 0;
};

}  // namespace ipfscluster::net
