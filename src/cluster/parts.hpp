#pragma once
#include <string>
#include <vector>

#include "cluster/peer_client.hpp"
#include "cluster/pin_planner.hpp"
#include "component/allocator.hpp"
#include "component/duty.hpp"
#include "component/ipfs_connector.hpp"
#include "component/membership.hpp"
#include "component/peer_monitor.hpp"
#include "component/pin_tracker.hpp"
#include "component/pinset_log.hpp"
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
    /// How long work stays undone before the next peer in rank does it (component::Duty).
    Duration duty_delay = std::chrono::minutes(10);
    bool follower = false;
    bool fetches_outside = true;  ///< its IPFS side finds what no member has
};

/// The parts a cluster peer is made of; all outlive the Cluster.
struct ClusterParts {
    World& world;
    net::Host& host;
    state::State& state;
    component::PinsetLog& log;
    component::Membership& members;
    component::Duty& duty;
    component::PinTracker& tracker;
    component::IpfsConnector& ipfs;
    component::PeerMonitor& monitor;
    component::Allocator& allocator;
    std::vector<component::Informer*> informers;
    PeerClient& peers;
    storage::Store& store;
};

}  // namespace ipfscluster::cluster
