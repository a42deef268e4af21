#pragma once
#include <set>
#include <vector>

#include "component/membership.hpp"
#include "net/host.hpp"
#include "runtime/signal.hpp"
#include "runtime/world.hpp"

namespace ipfscluster::peer {

/// Where what this peer knows of others outlives it. Twins: the files of the service and the memory
/// of a simulated machine. One strand.
class Peerstore {
 public:
    virtual ~Peerstore() = default;
    /// What was saved last, each with `/p2p/<id>`; empty before the first time.
    virtual Async<std::vector<Multiaddr>> load() = 0;
    virtual Async<> save(std::vector<Multiaddr> addresses) = 0;
    /// The members as consensus knows them; this peer may be none of them yet. Called again and
    /// again, also when nothing has changed.
    virtual Async<> remember(std::vector<PeerId> members) = 0;
};

/// Tells the host the addresses of other peers and whose to keep: those of members, and of whom the
/// configuration names; others' go with the connection. Saves those that are kept, and who the
/// members are. Owned by Peer, its strand. A save that fails leaves what was saved as it is; the
/// next one is a second later.
class AddressKeeper {
 public:
    AddressKeeper(World& world, net::Host& host, component::Membership& members,
                  Peerstore& peerstore);

    /// The host learns `first`, which is kept for good, then what was saved.
    Async<> load(std::vector<Multiaddr> first);
    /// Saves what the host keeps, unless it is what was saved last. One save at a time.
    Async<> save();
    /// As `save`, a failure is logged; false when cancelled.
    asio::awaitable<bool> try_save();
    /// Saves who the members are; a failure is logged; false when cancelled.
    asio::awaitable<bool> try_remember();
    /// Saves what has changed, again and again, until it is cancelled.
    asio::awaitable<void> run();

 private:
    /// A peer whose addresses we were told is kept until it is certain that it is no member.
    void choose_kept();

    World& world_;
    net::Host& host_;
    component::Membership& members_;
    Peerstore& peerstore_;
    std::set<PeerId> named_;  ///< by the configuration
    std::vector<Multiaddr> saved_;
    bool saving_ = false;
    Signal save_ended_;
};

}  // namespace ipfscluster::peer
