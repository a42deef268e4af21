#pragma once
#include <memory>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "multi/key_pair.hpp"
#include "runtime/world.hpp"

namespace ipfscluster::service {

/// What the command line wants of a start. Without effect on a peer that has a cluster already.
struct StartWish {
    std::vector<Multiaddr> bootstrap;  ///< members to join through
    bool found_alone = false;          ///< do not wait for members that are remembered
};

/// One running peer: the components of this build, made bottom up and taken down in reverse order.
/// Owned by the daemon command, one strand. `stop` must be awaited before it is destroyed, whether
/// or not `start` succeeded.
class Peer {
 public:
    Peer(World& world, config::Config config, KeyPair identity, StartWish wish);
    ~Peer();

    /// Opens the database and the network, starts every component and the HTTP surfaces. Fails with
    /// the reason of the first that cannot start; nothing is left running then once `stop`
    /// returned.
    Async<> start();
    /// The reason why this peer must end by itself: it was removed, or a part of it failed;
    /// `cancelled` when the wait was.
    asio::awaitable<Error> wait_ended();
    /// Orderly shutdown, each step logged with its time. Goes through all of them; fails
    /// with the first component that could not stop in order. What concerns others alone (leaving,
    /// the peerstore) and the last flush of the databases, whose rows are synced already, does not
    /// count.
    Async<> stop(bool leave);
    /// Cuts the deadlines of the shutdown that runs or comes: what still runs then is cut at once.
    void hurry();
    /// This peer's data is damaged or misses what was synced, and a majority of the other members
    /// is whole: put aside, it can come back as a newcomer. Also after `stop`.
    bool comes_back_anew() const;
    /// This peer left or was removed: its consensus data is of no use to it any more. Also after
    /// `stop`.
    bool membership_ended() const;

 private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace ipfscluster::service
