#pragma once
#include <functional>

#include "component/cluster_api.hpp"
#include "component/ipfs_connector.hpp"
#include "component/membership.hpp"
#include "component/pin_tracker.hpp"
#include "component/pinset_log.hpp"
#include "rpc/server.hpp"

namespace ipfscluster::cluster {

/// Whom the RPC methods of a peer reach. All outlive the server.
struct RpcTargets {
    component::ClusterApi& api;
    component::PinTracker& tracker;
    component::IpfsConnector& ipfs;
    component::PinsetLog& log;
    component::Membership& members;
    /// Whether this peer may count as alive; `unavailable` with the reason when it may not.
    std::function<Result<>()> alive;
};

/// Registers what the Go programs and our own ask of another peer, and refuses the names that they
/// call on themselves only (docs/rpc.md). Call before Server::start.
void register_rpc_handlers(rpc::Server& server, RpcTargets targets);

}  // namespace ipfscluster::cluster
