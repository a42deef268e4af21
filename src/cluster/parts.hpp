#pragma once
#include <string>
#include <vector>

#include "cluster/peer_client.hpp"
#include "cluster/pin_planner.hpp"
#include "component/allocator.hpp"
#include "component/consensus.hpp"
#include "component/ipfs_connector.hpp"
#include "component/peer_monitor.hpp"
#include "component/pin_tracker.hpp"
#include "net/host.hpp"
#include "state/state.hpp"

/// What a Cluster is made with.
namespace ipfscluster::cluster {

struct ClusterOptions {
    std::string peername;
    PinDefaults defaults;
    Duration ping_interval = std::chrono::seconds(15);
    Duration state_sync_interval = std::chrono::minutes(5);
    Duration pin_recover_interval = std::chrono::minutes(12);
    Duration peer_watch_interval = std::chrono::seconds(5);
    Duration dial_timeout = std::chrono::seconds(3);
    bool disable_repinning = false;
    Duration repin_grace =
        std::chrono::minutes(5);   ///< a peer must be away this long before its pins move
    std::size_t repin_rate = 100;  ///< pins moved per second, at most
    bool follower = false;
    bool fetches_outside = true;  ///< its IPFS side finds what no member has
};

/// The parts a cluster peer is made of; all outlive the Cluster.
struct ClusterParts {
    World& world;
    net::Host& host;
    state::State& state;
    component::Consensus& consensus;
    component::PinTracker& tracker;
    component::IpfsConnector& ipfs;
    component::PeerMonitor& monitor;
    component::Allocator& allocator;
    std::vector<component::Informer*> informers;
    PeerClient& peers;
    storage::Store& store;
};

}  // namespace ipfscluster::cluster
