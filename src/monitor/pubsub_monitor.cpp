#include "monitor/pubsub_monitor.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "codec/wire.hpp"

namespace ipfscluster::monitor {

namespace {
/// Peers up to 0.13.3 put a multicodec header before the value (reference/internals 6.1).
constexpr std::string_view kOldPrefix = "\x09/msgpack\n";
}  // namespace

PubsubMonitor::PubsubMonitor(World& world, net::Host& host, MonitorOptions options,
                             std::function<bool(const PeerId&)> counts)
    : world_(world),
      host_(host),
      options_(options),
      counts_(std::move(counts)),
      tasks_(world, "monitor") {}

PubsubMonitor::~PubsubMonitor() = default;

Async<> PubsubMonitor::start() {
    host_.subscribe(kMetricsTopic, [this](net::TopicMessage m) { receive(std::move(m)); });
    tasks_.spawn(check_loop());
    co_return ok();
}

Async<> PubsubMonitor::stop() {
    host_.unsubscribe(kMetricsTopic);
    auto stopped = co_await tasks_.stop();
    co_return stopped;
}

Async<> PubsubMonitor::publish(Metric metric) {
    metric.peer = host_.id();
    record(metric);
    if (!metric.valid) co_return ok();  // peers learn of an invalid metric by its absence
    auto sent = co_await host_.publish(kMetricsTopic, codec::to_msgpack(metric));
    co_return sent;
}

void PubsubMonitor::record(Metric metric) {
    window_.add(std::move(metric), world_.steady_now(), world_.system_now(), options_.usual_ttl);
}

void PubsubMonitor::receive(net::TopicMessage message) {
    if (message.data.size() > kMetricBytesMax) {
        logger("monitor")->warn("a metric message is too large and was dropped from={} bytes={}",
                                message.from.to_string(), message.data.size());
        return;
    }
    BytesView body = message.data;
    if (body.starts_with(kOldPrefix)) body.remove_prefix(kOldPrefix.size());
    auto metric = codec::from_msgpack<Metric>(body);
    if (!metric) {
        logger("monitor")->warn("a metric message could not be read from={} error=\"{}\"",
                                message.from.to_string(), metric.error().text);
        return;
    }
    if (metric.value().peer != message.from) {
        logger("monitor")->warn("a metric was dropped: it speaks for another peer from={} for={}",
                                message.from.to_string(), metric.value().peer.to_string());
        return;
    }
    if (!admits(message.from)) return;
    const auto wall = world_.system_now();
    const auto left = std::max(metric.value().expire, kTimeUnset) - wall;
    // Gossip remembers: who has just come is told metrics that have run out a moment ago.
    if ((left < -kClockSkewWarn || left > kMetricTtlMax) && skew_warned_.size() < kMetricPeersMax &&
        skew_warned_.insert(message.from).second)
        logger("monitor")->warn(
            "a peer's clock differs from ours; its metrics are judged by our own peer={} "
            "expires_in={}",
            message.from.to_string(), format_go_duration(left));
    metric.value().valid = true;
    record(std::move(metric.value()));
}

bool PubsubMonitor::admits(const PeerId& peer) {
    if (window_.knows(peer) || counts_(peer)) return true;
    // A peer that is about to join may be heard before the members know of it.
    if (strangers_.size() >= kStrangersMax) count_strangers();
    if (strangers_.size() >= kStrangersMax) return false;
    strangers_.insert(peer);
    return true;
}

void PubsubMonitor::count_strangers() {
    std::erase_if(strangers_,
                  [&](const PeerId& peer) { return !window_.knows(peer) || counts_(peer); });
}

std::vector<Metric> PubsubMonitor::latest(const std::string& name) {
    std::vector<Metric> out;
    for (auto& each : heard(name)) out.push_back(std::move(each.metric));
    return out;
}

std::vector<component::HeardMetric> PubsubMonitor::heard(const std::string& name) {
    auto all = window_.heard(name, world_.steady_now());
    std::erase_if(all,
                  [&](const component::HeardMetric& each) { return !counts_(each.metric.peer); });
    return all;
}

std::vector<std::string> PubsubMonitor::names() {
    return window_.names();
}

bool PubsubMonitor::alive(const PeerId& peer) {
    return peer == host_.id() || window_.alive("ping", peer, world_.steady_now());
}

std::vector<Alert> PubsubMonitor::alerts() {
    return {alerts_.begin(), alerts_.end()};
}

void PubsubMonitor::check() {
    for (auto& metric : window_.take_expired(world_.steady_now())) {
        if (!counts_(metric.peer)) {
            window_.forget(metric.peer);
            continue;
        }
        if (metric.peer == host_.id()) continue;
        tell_expired(std::move(metric));
    }
    count_strangers();
    std::erase_if(skew_warned_, [&](const PeerId& peer) { return !window_.knows(peer); });
    check_never_heard();
}

void PubsubMonitor::tell_expired(Metric metric) {
    logger("monitor")->warn("a metric has expired metric={} peer={}", metric.name,
                            metric.peer.to_string());
    tell({std::move(metric), world_.system_now()});
}

void PubsubMonitor::raise(Metric about) {
    about.expire = kTimeUnset;
    logger("monitor")->warn("alert about={} peer={} text=\"{}\"", about.name,
                            about.peer.to_string(), about.value);
    tell({std::move(about), world_.system_now()});
}

void PubsubMonitor::tell(Alert alert) {
    alerts_.push_front(std::move(alert));
    if (alerts_.size() > kAlertsMax) alerts_.pop_back();
}

void PubsubMonitor::expect(std::vector<PeerId> peers) {
    std::erase_if(unheard_, [&](const auto& e) {
        return std::find(peers.begin(), peers.end(), e.first) == peers.end();
    });
    const auto now = world_.steady_now();
    for (auto& peer : peers)
        if (peer != host_.id() && !window_.known("ping", peer))
            unheard_.emplace(std::move(peer), Unheard{now});
}

void PubsubMonitor::check_never_heard() {
    const auto now = world_.steady_now();
    std::erase_if(unheard_, [&](const auto& e) {
        return window_.known("ping", e.first) || !counts_(e.first);
    });
    for (auto& [peer, unheard] : unheard_) {
        if (unheard.reported || now - unheard.since < options_.usual_ttl) continue;
        unheard.reported = true;
        Metric silence;
        silence.name = "ping";
        silence.peer = peer;
        silence.expire = world_.system_now();
        tell_expired(std::move(silence));
    }
}

asio::awaitable<void> PubsubMonitor::check_loop() {
    while (true) {
        auto slept = co_await world_.sleep_for(options_.check_interval);
        if (!slept) co_return;
        check();
    }
}

}  // namespace ipfscluster::monitor
