#include "cluster/given_table.hpp"

namespace ipfscluster::cluster {

void GivenTable::give(const std::vector<PeerId>& peers, std::int64_t bytes) {
    for (const auto& peer : peers) {
        bytes_[peer].amount += bytes > 0 ? bytes : kAssumedPinBytes;
        pins_[peer].amount += 1;
    }
}

void GivenTable::keep_only(const std::vector<PeerId>& members) {
    for (auto* table : {&bytes_, &pins_})
        std::erase_if(*table, [&](const auto& given) {
            return std::find(members.begin(), members.end(), given.first) == members.end();
        });
}

void GivenTable::subtract(const std::string& name, std::vector<Metric>& metrics) {
    const bool in_bytes = name == "freespace" || name == "reposize";
    const bool in_pins = name == "pinqueue" || name == "numpin";
    if (!in_bytes && !in_pins) return;
    auto& table = in_bytes ? bytes_ : pins_;
    for (auto& metric : metrics) {
        const auto at = table.find(metric.peer);
        if (at == table.end()) continue;
        auto& given = at->second;
        if (given.since == kTimeUnset) given.since = metric.received_at;
        if (metric.received_at > given.since) {
            // The peer has had a round to count them.
            table.erase(at);
            continue;
        }
        metric.weight -= given.amount;
    }
}

}  // namespace ipfscluster::cluster
