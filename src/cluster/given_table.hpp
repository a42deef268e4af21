#pragma once
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "model/metric.hpp"

namespace ipfscluster::cluster {

/// What one pin of unknown size is taken for, until the peer's own metric counts it.
inline constexpr std::int64_t kAssumedPinBytes = 1 << 20;

/// What this peer has allocated to others since their latest metrics, so that a burst does not all
/// land on the peer that was emptiest a moment ago. Bounded by the number of members.
/// One strand.
class GivenTable {
 public:
    /// `bytes` 0: unknown.
    void give(const std::vector<PeerId>& peers, std::int64_t bytes);
    /// Lowers the weights of `metrics` (named `name`) by what was given since each metric came, and
    /// forgets what they already count.
    void subtract(const std::string& name, std::vector<Metric>& metrics);
    /// Forgets whoever is none of `members`: no metric of it comes any more.
    void keep_only(const std::vector<PeerId>& members);
    std::size_t size() const { return std::max(bytes_.size(), pins_.size()); }

 private:
    /// What was given since the metric that had come at `since`; unset until one has been looked
    /// at.
    struct Given {
        Time since = kTimeUnset;
        std::int64_t amount = 0;
    };
    std::map<PeerId, Given> bytes_;
    std::map<PeerId, Given> pins_;
};

}  // namespace ipfscluster::cluster
