#include "allocator/partition.hpp"

#include <algorithm>
#include <tuple>

namespace ipfscluster::allocator {

namespace {

/// Peers that share the values of one level; its children split them by the next.
struct Partition {
    std::string value;
    std::int64_t weight = 0;
    std::int64_t aggregated = 0;  ///< own weight and that of everything below
    PeerId tie;                   ///< smallest peer inside: makes the order total
    std::vector<Partition> children;
    std::vector<PeerId> peers;  ///< only in leaves, next to choose first
    std::size_t turn = 0;       ///< child whose turn it is
};

std::vector<Partition> split(const std::vector<PeerId>& peers,
                             const std::vector<MetricByPeer>& levels, std::size_t level) {
    // A partitionable metric groups by value; another one gives each peer a group of its own.
    std::map<std::tuple<std::string, PeerId>, std::vector<PeerId>> groups;
    for (const auto& peer : peers) {
        const auto& metric = levels[level].at(peer);
        groups[{metric.value, metric.partitionable ? PeerId() : peer}].push_back(peer);
    }
    std::vector<Partition> partitions;
    for (auto& [key, members] : groups) {
        Partition part;
        part.value = std::get<0>(key);
        for (const auto& peer : members) part.weight += levels[level].at(peer).weight;
        part.aggregated = part.weight;
        part.tie = *std::min_element(members.begin(), members.end());
        if (level + 1 < levels.size()) {
            part.children = split(members, levels, level + 1);
            for (const auto& child : part.children) part.aggregated += child.aggregated;
        } else {
            std::sort(members.begin(), members.end(), std::greater<>());  // taken from the back
            part.peers = std::move(members);
        }
        partitions.push_back(std::move(part));
    }
    std::sort(partitions.begin(), partitions.end(), [](const Partition& a, const Partition& b) {
        if (a.weight != b.weight) return a.weight > b.weight;
        if (a.aggregated != b.aggregated) return a.aggregated > b.aggregated;
        return std::tie(a.value, a.tie) < std::tie(b.value, b.tie);
    });
    return partitions;
}

/// The next peer of these groups, or none when all are used up. `turn` moves on by one group per
/// choice.
bool take_next(std::vector<Partition>& partitions, std::size_t& turn, PeerId& out) {
    for (std::size_t tried = 0; tried < partitions.size(); ++tried) {
        auto& part = partitions[turn];
        turn = (turn + 1) % partitions.size();
        if (!part.peers.empty()) {
            out = part.peers.back();
            part.peers.pop_back();
            return true;
        }
        if (!part.children.empty() && take_next(part.children, part.turn, out)) return true;
    }
    return false;
}

}  // namespace

std::vector<PeerId> order_peers(const std::vector<PeerId>& peers,
                                const std::vector<MetricByPeer>& levels) {
    std::vector<PeerId> order;
    if (levels.empty()) {
        order = peers;
        std::sort(order.begin(), order.end());
        return order;
    }
    auto partitions = split(peers, levels, 0);
    std::size_t turn = 0;
    for (PeerId next; !partitions.empty() && take_next(partitions, turn, next);)
        order.push_back(next);
    return order;
}

}  // namespace ipfscluster::allocator
