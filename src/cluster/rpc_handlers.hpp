#pragma once
#include <functional>
#include <vector>

#include "component/cluster_api.hpp"
#include "component/consensus.hpp"
#include "component/ipfs_connector.hpp"
#include "component/peer_monitor.hpp"
#include "component/pin_tracker.hpp"
#include "rpc/server.hpp"

namespace ipfscluster::cluster {

/// Whom the RPC methods of a peer reach. All outlive the server.
struct RpcTargets {
    component::ClusterApi& api;
    component::PinTracker& tracker;
    component::IpfsConnector& ipfs;
    component::Consensus& consensus;
    component::PeerMonitor& monitor;
    /// Peers that would get the blocks of an add.
    std::function<Async<std::vector<PeerId>>(Pin)> block_allocate;
    /// The IPFS daemon of a member as its last ping told; `not_found` when it never said.
    std::function<Result<IpfsId>(const PeerId&)> ipfs_id;
    /// Publishes the metrics of all informers now.
    std::function<Async<>()> send_metrics;
};

/// Registers the 55 methods of the Go programs with their policy, and PinTracker.StatusAllSorted,
/// our own: rows in the order of their CID bytes. Call before Server::start. A method this build
/// has no use for answers `unsupported`.
void register_rpc_handlers(rpc::Server& server, RpcTargets targets);

}  // namespace ipfscluster::cluster
