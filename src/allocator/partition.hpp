#pragma once
#include <map>
#include <string>
#include <vector>

#include "model/metric.hpp"

namespace ipfscluster::allocator {

/// One metric's values by peer.
using MetricByPeer = std::map<PeerId, Metric>;

/// All of `peers` in the order in which they should be chosen. Every peer has an entry in each of
/// `levels` (levels[0] is the coarsest grouping). Pure.
std::vector<PeerId> order_peers(const std::vector<PeerId>& peers,
                                const std::vector<MetricByPeer>& levels);

}  // namespace ipfscluster::allocator
