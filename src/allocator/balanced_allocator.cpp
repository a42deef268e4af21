#include "allocator/balanced_allocator.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "allocator/partition.hpp"
#include "base/text.hpp"

namespace ipfscluster::allocator {

namespace {

/// A full peer goes on holding what it has, but is given nothing more.
bool has_room(const PeerId& peer, const std::vector<MetricByPeer>& levels) {
    return std::none_of(levels.begin(), levels.end(), [&](const MetricByPeer& level) {
        const auto& metric = level.at(peer);
        return metric.name == "freespace" && metric.value == "0";
    });
}

}  // namespace

BalancedAllocator::BalancedAllocator(std::vector<std::string> allocate_by)
    : allocate_by_(std::move(allocate_by)) {}

Result<std::vector<PeerId>> BalancedAllocator::allocate(
    const component::AllocationRequest& request) const {
    if (request.replication_min < 0 && request.replication_max < 0) return std::vector<PeerId>{};
    std::vector<MetricByPeer> levels;
    for (const auto& name : allocate_by_) {
        MetricByPeer by_peer;
        if (const auto at = request.metrics.find(name); at != request.metrics.end())
            for (const auto& metric : at->second)
                if (metric.valid) by_peer.emplace(metric.peer, metric);
        levels.push_back(std::move(by_peer));
    }
    // Only a peer with every metric can be chosen, or counted as holding the pin already.
    std::vector<PeerId> current, priority, candidates;
    if (!levels.empty()) {
        for (const auto& [peer, metric] : levels.front()) {
            const bool complete = std::all_of(levels.begin(), levels.end(), [&](const auto& level) {
                return level.contains(peer);
            });
            if (!complete || contains(request.blacklist, peer)) continue;
            if (contains(request.current, peer))
                current.push_back(peer);
            else if (!has_room(peer, levels))
                continue;
            else if (contains(request.priority, peer))
                priority.push_back(peer);
            else
                candidates.push_back(peer);
        }
    }
    const auto held = static_cast<int>(current.size());
    const int needed = request.replication_min - held;
    const int wanted = request.replication_max - held;
    if (wanted < 0) {
        auto keep = order_peers(current, levels);
        keep.resize(static_cast<std::size_t>(request.replication_max));
        return keep;
    }
    if (needed <= 0) return current;
    auto order = order_peers(priority, levels);
    auto rest = order_peers(candidates, levels);
    order.insert(order.end(), rest.begin(), rest.end());
    if (static_cast<int>(order.size()) < needed)
        return fail(
            Kind::unavailable,
            fmt::format("not enough peers to allocate CID. Needed at least: {}. Wanted at most: "
                        "{}. Available candidates: {}. See logs for more info.",
                        needed, wanted, order.size()));
    order.resize(std::min(order.size(), static_cast<std::size_t>(wanted)));
    current.insert(current.end(), order.begin(), order.end());
    return current;
}

}  // namespace ipfscluster::allocator
