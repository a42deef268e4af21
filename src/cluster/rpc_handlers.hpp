#pragma once
#include <functional>

#include "component/cluster_api.hpp"
#include "component/consensus.hpp"
#include "component/ipfs_connector.hpp"
#include "component/pin_tracker.hpp"
#include "rpc/server.hpp"

namespace ipfscluster::cluster {

/// Whom the RPC methods of a peer reach. All outlive the server.
struct RpcTargets {
    component::ClusterApi& api;
    component::PinTracker& tracker;
    component::IpfsConnector& ipfs;
    component::Consensus& consensus;
    /// Whether this peer may count as alive; `unavailable` with the reason when it may not.
    std::function<Result<>()> alive;
};

/// Registers what the Go programs and our own ask of another peer, and refuses the names that they
/// call on themselves only (docs/rpc.md). Call before Server::start.
void register_rpc_handlers(rpc::Server& server, RpcTargets targets);

}  // namespace ipfscluster::cluster
