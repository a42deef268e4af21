#pragma once
#include <string>
#include <vector>

#include "model/metric.hpp"
#include "runtime/async.hpp"
#include "runtime/world.hpp"

namespace ipfscluster::component {

/// A metric and when it came by our steady clock.
struct HeardMetric {
    Metric metric;
    SteadyTime at;
};

/// Collects what peers say of themselves and notices who fell silent. Liveness is local steady time
/// since receipt plus a learned, capped time to live. Owned by main; one strand.
class PeerMonitor {
 public:
    virtual ~PeerMonitor() = default;
    virtual Async<> start() = 0;
    virtual Async<> stop() = 0;
    /// Sends a metric of ours to all peers and records it here.
    virtual Async<> publish(Metric metric) = 0;
    /// Records a metric without sending it (a peer that was just seen alive).
    virtual void record(Metric metric) = 0;
    /// Latest live metric of that name per member, sorted by peer bytes.
    virtual std::vector<Metric> latest(const std::string& name) = 0;
    /// The same with the moment each came at.
    virtual std::vector<HeardMetric> heard(const std::string& name) = 0;
    virtual std::vector<std::string> names() = 0;
    virtual bool alive(const PeerId& peer) = 0;
    /// Who should be heard: an alert tells, once, of each that sends no ping. Instead of what was
    /// said before.
    virtual void expect(std::vector<PeerId> peers) = 0;
    /// Adds an alert of our own to those of metrics that failed: `about.name` is what it is about,
    /// `about.value` says it in words, and `about.expire` stays unset.
    virtual void raise(Metric about) = 0;
    /// Newest first, at most kAlertsMax.
    virtual std::vector<Alert> alerts() = 0;
};

/// A source of metrics about this peer.
class Informer {
 public:
    virtual ~Informer() = default;
    virtual std::string name() const = 0;
    /// How long a metric of this informer is good for.
    virtual Duration ttl() const = 0;
    /// Never fails: a value that cannot be had is a metric with `valid` false.
    virtual asio::awaitable<std::vector<Metric>> metrics() = 0;
};

}  // namespace ipfscluster::component
