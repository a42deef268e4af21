#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "component/peer_monitor.hpp"
#include "model/metric.hpp"
#include "runtime/world.hpp"

namespace ipfscluster::monitor {

/// Most metric names accepted per peer, and peers: a talkative one cannot make us grow.
inline constexpr std::size_t kMetricNamesMax = 64;
inline constexpr std::size_t kMetricPeersMax = 4096;
/// A longer time to live is not believed: a dead peer must be noticed.
inline constexpr Duration kMetricTtlMax = std::chrono::minutes(10);
/// A clock difference larger than this is worth a warning.
inline constexpr Duration kClockSkewWarn = std::chrono::seconds(5);

/// The latest metric of each peer and name with the steady time at which it stops counting. Pure
/// but for the times handed in; one strand.
class MetricWindow {
 public:
    /// Records `metric` with the time to live of `learned_ttl`. False when a bound refuses it.
    bool add(Metric metric, SteadyTime now, Time wall_now, Duration usual_ttl);

    /// Valid and unexpired metrics of that name, sorted by peer.
    std::vector<Metric> latest(const std::string& name, SteadyTime now) const;
    /// The same with the moment each was added at.
    std::vector<component::HeardMetric> heard(const std::string& name, SteadyTime now) const;
    std::vector<std::string> names() const;
    bool alive(const std::string& name, const PeerId& peer, SteadyTime now) const;
    /// Whether anything at all is remembered of the peer.
    bool knows(const PeerId& peer) const { return names_of_.contains(peer); }
    std::size_t peers() const { return names_of_.size(); }
    /// Whether any metric of that name has ever come from the peer.
    bool known(const std::string& name, const PeerId& peer) const;
    /// Metrics that have expired since the last call and had not been reported: each failure once
    /// until a fresh one comes.
    std::vector<Metric> take_expired(SteadyTime now);
    /// Forgets a peer that is no member any more.
    void forget(const PeerId& peer);

 private:
    struct Entry {
        Metric metric;
        SteadyTime added_at;
        SteadyTime dead_at;
        bool reported = false;
    };
    std::map<std::string, std::map<PeerId, Entry>> entries_;
    std::map<PeerId, std::size_t> names_of_;  ///< how many entries each peer has
};

/// How long a metric is good for by our own clock, never less than `usual`. A sender's clock may be
/// off by anything, so only differences between two of its own times count: metrics come at least
/// twice per time to live (reference/internals 6.1), hence twice the step of `expire` since the
/// metric before, but no longer than `expire` leaves by our clock where that makes sense: the step
/// may be one between two short lives. Without a metric before, what `expire` leaves, if that is
/// possible at all.
Duration learned_ttl(const Metric& metric, const Metric* before, Time wall_now, Duration usual);

}  // namespace ipfscluster::monitor
