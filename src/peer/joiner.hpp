#pragma once
#include <vector>

#include "cluster/peer_client.hpp"
#include "component/cluster_api.hpp"
#include "component/membership.hpp"
#include "component/pinset_log.hpp"
#include "net/host.hpp"

namespace ipfscluster::peer {

struct JoinerOptions {
    std::vector<Multiaddr> bootstrap;       ///< members to join through, each with `/p2p/<id>`
    std::vector<Multiaddr> peer_addresses;  ///< where members are that may add this peer
    Duration dial_timeout = std::chrono::seconds(3);
    Duration retry = std::chrono::seconds(2);  ///< pause between two rounds of tries
};

/// Brings this peer into the cluster of those it was told to join through, trying each of them
/// until one has taken it in. Where it is a member of another cluster already it says so and
/// changes nothing. Owned by Peer, its strand; what it refers to outlives it.
class Joiner {
 public:
    Joiner(World& world, net::Host& host, component::PinsetLog& log, component::Membership& members,
           component::ClusterApi& cluster, cluster::PeerClient& peers, JoinerOptions options);

    bool wanted() const { return !options_.bootstrap.empty(); }
    /// Ends when this peer is a member, or cancelled.
    asio::awaitable<void> run();

 private:
    /// One try with each address; true when it is over.
    Async<bool> try_all();
    /// Whoever waits to be added with `peers add` must be known to a member: a connection shows our
    /// addresses.
    Async<> show_addresses();
    /// `conflict` when the one we are to join through is in another cluster than we are.
    Async<> check_same_cluster(Multiaddr address);

    World& world_;
    net::Host& host_;
    component::PinsetLog& log_;
    component::Membership& members_;
    component::ClusterApi& cluster_;
    cluster::PeerClient& peers_;
    JoinerOptions options_;
};

}  // namespace ipfscluster::peer
