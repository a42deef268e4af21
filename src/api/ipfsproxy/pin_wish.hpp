#pragma once
#include <optional>
#include <string_view>

#include "component/cluster_api.hpp"

namespace ipfscluster::ipfsproxy {

/// What to ask the cluster for so that it pins `cid`: nothing when the pinset has it already. A pin
/// that is there and goes as deep keeps its options: adding it once more must not take its name,
/// its replication or its metadata away. An empty name asks for none. Reads the peer's own pinset.
std::optional<Pin> wanted_pin(component::ClusterApi& cluster, const Cid& cid, PinMode mode,
                              std::string_view name);

}  // namespace ipfscluster::ipfsproxy
