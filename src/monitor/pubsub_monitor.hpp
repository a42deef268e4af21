#pragma once
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "component/peer_monitor.hpp"
#include "monitor/metric_window.hpp"
#include "net/host.hpp"
#include "runtime/task_group.hpp"

namespace ipfscluster::monitor {

/// The topic of all clusters (reference/internals 1.6).
inline constexpr const char* kMetricsTopic = "monitor.metrics";
/// Alerts kept for people to read; older ones are dropped.
inline constexpr std::size_t kAlertsMax = 1000;
/// Peers remembered that are no members, or none yet: so many cannot keep members out.
inline constexpr std::size_t kStrangersMax = 256;
/// A metric message is small; anything larger is dropped unread.
inline constexpr std::size_t kMetricBytesMax = 64 * 1024;

struct MonitorOptions {
    Duration check_interval = std::chrono::seconds(15);
    Duration usual_ttl = std::chrono::seconds(30);  ///< when a sender's clock makes no sense
};

/// Metrics over gossipsub: each is accepted only from its signer. Owned by main, outlived by host
/// and world. One strand. Its view of who is alive is this peer's own.
class PubsubMonitor final : public component::PeerMonitor {
 public:
    /// `counts`: whether a peer's metrics are shown and watched; asked again and again.
    PubsubMonitor(World& world, net::Host& host, MonitorOptions options,
                  std::function<bool(const PeerId&)> counts);
    ~PubsubMonitor() override;

    Async<> start() override;
    Async<> stop() override;
    Async<> publish(Metric metric) override;
    void record(Metric metric) override;
    std::vector<Metric> latest(const std::string& name) override;
    std::vector<component::HeardMetric> heard(const std::string& name) override;
    std::vector<std::string> names() override;
    bool alive(const PeerId& peer) override;
    void expect(std::vector<PeerId> peers) override;
    void raise(Metric about) override;
    std::vector<Alert> alerts() override;
    /// Entries that are kept of single peers.
    std::size_t remembered() const {
        return window_.peers() + skew_warned_.size() + strangers_.size() + unheard_.size();
    }

 private:
    void receive(net::TopicMessage message);
    asio::awaitable<void> check_loop();
    void check();
    /// Whether there is room for what this peer says of itself: always for those that count.
    bool admits(const PeerId& peer);
    /// Drops those that count by now and those forgotten.
    void count_strangers();
    void tell_expired(Metric metric);
    void tell(Alert alert);
    /// One that is expected and has sent no ping for `usual_ttl` since we know of it: after a
    /// restart we must not wait for a first ping to notice that a member is dead.
    void check_never_heard();

    World& world_;
    net::Host& host_;
    MonitorOptions options_;
    std::function<bool(const PeerId&)> counts_;
    MetricWindow window_;
    std::deque<Alert> alerts_;
    std::set<PeerId> skew_warned_;
    std::set<PeerId> strangers_;  ///< did not count when last looked at
    struct Unheard {
        SteadyTime since;
        bool reported = false;
    };
    std::map<PeerId, Unheard> unheard_;  ///< expected, and without any ping when last looked at
    TaskGroup tasks_;
};

}  // namespace ipfscluster::monitor
