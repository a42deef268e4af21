#pragma once
#include <set>
#include <vector>

#include "cluster/peer_client.hpp"
#include "runtime/world.hpp"

namespace ipfscluster::cluster {

/// Asks `peers`, all at once, whether they may count as alive (RPC Cluster.Alive); those that say
/// so. Who refuses, cannot be reached or is silent for kAliveLimit does not. Fails only when
/// cancelled.
Async<std::set<PeerId>> who_answers(World& world, PeerClient& client, std::vector<PeerId> peers);

}  // namespace ipfscluster::cluster
