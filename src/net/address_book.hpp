#pragma once
#include <cstdint>
#include <map>
#include <vector>

#include "multi/multiaddr.hpp"
#include "multi/peer_id.hpp"

namespace ipfscluster::net {

/// Peers whose addresses are remembered; the one not touched for longest goes first, and those that
/// are kept after all others.
inline constexpr std::size_t kKnownPeersMax = 4096;
/// Addresses remembered of one peer; the oldest goes first.
inline constexpr std::size_t kAddressesPerPeerMax = 32;

/// The addresses a host knows of other peers, without their `/p2p/<id>` part, in the order they
/// became known. Those of a kept peer stay; what a connection to another one has shown goes with
/// the connection, so that strangers leave nothing. Owned by a host; its strand.
class AddressBook {
 public:
    /// Adds what is new of a peer, which is kept from now on. An address that names another peer is
    /// skipped.
    void add(const PeerId& peer, const std::vector<Multiaddr>& addresses);
    /// The same of one that is kept only if it was: a connection has shown it.
    void learn(const PeerId& peer, const std::vector<Multiaddr>& addresses);
    /// Without effect for a peer of which nothing is known.
    void keep(const PeerId& peer, bool kept, bool connected);
    void connection_ended(const PeerId& peer);
    std::vector<Multiaddr> of(const PeerId& peer) const;
    std::vector<PeerId> peers() const;
    std::vector<PeerId> kept() const;

 private:
    struct Entry {
        std::vector<Multiaddr> addresses;
        std::uint64_t touched = 0;
        bool kept = false;
    };
    void put(const PeerId& peer, const std::vector<Multiaddr>& addresses, bool keep);
    /// False: whoever is not kept takes no place of one that is.
    bool make_room(bool for_kept);

    std::map<PeerId, Entry> entries_;
    std::uint64_t clock_ = 0;
};

}  // namespace ipfscluster::net
