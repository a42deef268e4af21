#include "config/components.hpp"

namespace ipfscluster::config {

std::vector<Component> components(Config& config) {
    std::vector<Component> out;
    const auto add = [&](std::string_view section, std::string_view name, std::string_view prefix,
                         auto& part, std::string_view no_effect = {}) {
        out.push_back({section, name, prefix, &part.enabled, no_effect,
                       [&part](FieldVisitor& visitor) { describe(visitor, part); }});
    };
    constexpr std::string_view not_served = "not served by this build";
    add("cluster", "", "CLUSTER", config.cluster);
    add("consensus", "raft", "CLUSTER_RAFT", config.raft);
    add("api", "ipfsproxy", "CLUSTER_IPFSPROXY", config.ipfsproxy);
    add("api", "pinsvcapi", "CLUSTER_PINSVCAPI", config.pinsvcapi, not_served);
    add("api", "restapi", "CLUSTER_RESTAPI", config.restapi);
    add("ipfs_connector", "embedded", "CLUSTER_EMBEDDED", config.embedded);
    add("ipfs_connector", "ipfshttp", "CLUSTER_IPFSHTTP", config.ipfshttp);
    add("pin_tracker", "stateless", "CLUSTER_STATELESS", config.tracker);
    add("monitor", "pubsubmon", "CLUSTER_PUBSUBMON", config.monitor);
    add("allocator", "balanced", "CLUSTER_BALANCED", config.allocator);
    add("informer", "disk", "CLUSTER_DISK", config.disk);
    add("informer", "numpin", "CLUSTER_NUMPIN", config.numpin);
    add("informer", "pinqueue", "CLUSTER_PINQUEUE", config.pinqueue);
    add("informer", "tags", "CLUSTER_TAGS", config.tags);
    add("observations", "metrics", "CLUSTER_METRICS", config.metrics);
    add("observations", "tracing", "CLUSTER_TRACING", config.tracing);
    return out;
}

}  // namespace ipfscluster::config
