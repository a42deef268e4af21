#include "monitor/metric_window.hpp"

#include <algorithm>

namespace ipfscluster::monitor {

Duration learned_ttl(const Metric& metric, const Metric* before, Time wall_now, Duration usual) {
    // Times before 1970 cannot be subtracted without overflow, and mean nothing.
    const auto expire = std::max(metric.expire, kTimeUnset);
    auto ttl = expire - wall_now;
    if (before != nullptr && expire > before->expire && before->expire >= kTimeUnset) {
        // A longer step is a gap between two lives of the peer, not its period.
        const auto step = expire - before->expire;
        if (step <= kMetricTtlMax / 2) {
            const auto left = ttl;
            ttl = 2 * step;
            // So may the step be that of a peer that sends once per life and dies again. Where the
            // sender's clock can be right, it says itself for how long the metric is good.
            if (left >= usual - kClockSkewWarn && left <= kMetricTtlMax) ttl = std::min(ttl, left);
        }
    }
    if (ttl < usual || ttl > kMetricTtlMax) return usual;
    return ttl;
}

bool MetricWindow::add(Metric metric, SteadyTime now, Time wall_now, Duration usual_ttl) {
    const auto counted = names_of_.find(metric.peer);
    if (counted == names_of_.end() && names_of_.size() >= kMetricPeersMax) return false;
    if (!known(metric.name, metric.peer)) {
        if (counted != names_of_.end() && counted->second >= kMetricNamesMax) return false;
        ++names_of_[metric.peer];
    }
    auto& peers = entries_[metric.name];
    const auto earlier = peers.find(metric.peer);
    const auto* before = earlier == peers.end() ? nullptr : &earlier->second.metric;
    const auto ttl = learned_ttl(metric, before, wall_now, usual_ttl);
    metric.received_at = wall_now;
    auto& entry = peers[metric.peer];
    entry.metric = std::move(metric);
    entry.added_at = now;
    entry.dead_at = now + std::chrono::duration_cast<SteadyTime::duration>(ttl);
    entry.reported = false;
    return true;
}

std::vector<Metric> MetricWindow::latest(const std::string& name, SteadyTime now) const {
    std::vector<Metric> out;
    for (auto& each : heard(name, now)) out.push_back(std::move(each.metric));
    return out;
}

std::vector<component::HeardMetric> MetricWindow::heard(const std::string& name,
                                                        SteadyTime now) const {
    std::vector<component::HeardMetric> out;
    if (const auto at = entries_.find(name); at != entries_.end())
        for (const auto& [peer, entry] : at->second)
            if (entry.metric.valid && entry.dead_at > now)
                out.push_back({entry.metric, entry.added_at});
    return out;
}

std::vector<std::string> MetricWindow::names() const {
    std::vector<std::string> out;
    for (const auto& [name, peers] : entries_)
        if (!peers.empty()) out.push_back(name);
    return out;
}

bool MetricWindow::alive(const std::string& name, const PeerId& peer, SteadyTime now) const {
    const auto at = entries_.find(name);
    if (at == entries_.end()) return false;
    const auto entry = at->second.find(peer);
    return entry != at->second.end() && entry->second.metric.valid && entry->second.dead_at > now;
}

bool MetricWindow::known(const std::string& name, const PeerId& peer) const {
    const auto at = entries_.find(name);
    return at != entries_.end() && at->second.contains(peer);
}

std::vector<Metric> MetricWindow::take_expired(SteadyTime now) {
    std::vector<Metric> out;
    for (auto& [name, peers] : entries_)
        for (auto& [peer, entry] : peers)
            if (!entry.reported && entry.metric.valid && entry.dead_at <= now) {
                entry.reported = true;
                out.push_back(entry.metric);
            }
    return out;
}

void MetricWindow::forget(const PeerId& peer) {
    for (auto& [name, peers] : entries_) peers.erase(peer);
    names_of_.erase(peer);
    std::erase_if(entries_, [](const auto& entry) { return entry.second.empty(); });
}

}  // namespace ipfscluster::monitor
