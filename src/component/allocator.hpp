#pragma once
#include <map>
#include <string>
#include <vector>

#include "model/metric.hpp"
#include "model/pin.hpp"

namespace ipfscluster::component {

/// Everything a choice of peers depends on, so that the choice is a pure function.
struct AllocationRequest {
    Cid cid;
    int replication_min = -1;
    int replication_max = -1;
    std::vector<PeerId> current;    ///< peers that hold the pin already and may keep it
    std::vector<PeerId> priority;   ///< peers the user named
    std::vector<PeerId> blacklist;  ///< never chosen
    /// Live metrics by metric name, one per peer.
    std::map<std::string, std::vector<Metric>> metrics;
};

/// Chooses the peers that hold a pin. Holds nothing but its configuration; any strand.
class Allocator {
 public:
    virtual ~Allocator() = default;
    /// Names of the metrics a request must carry.
    virtual std::vector<std::string> metric_names() const = 0;
    /// Between min and max peers, or `unavailable` telling how many were needed, wanted and
    /// possible. Empty when the factors say "everywhere".
    virtual Result<std::vector<PeerId>> allocate(const AllocationRequest& request) const = 0;
};

}  // namespace ipfscluster::component
