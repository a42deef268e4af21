#pragma once
#include "cluster/cluster_clock.hpp"
#include "component/membership.hpp"
#include "component/peer_monitor.hpp"

namespace ipfscluster::cluster {

/// Reads the members' clocks from their pings, keeps the cluster's time by them and raises an alert
/// for each clock that is off. Owned by Cluster, outlived by its parts; its strand. What it hears
/// is this peer's own view; it never fails, but the time may be unknown.
class ClockWatch {
 public:
    /// `usual_ttl`: for how long the pings of peers are good that do not say it themselves.
    ClockWatch(World& world, component::Membership& members, component::PeerMonitor& monitor,
               PeerId self, Duration usual_ttl);

    /// Looks at the clocks; the cluster's time, or why it is not known. Nothing expires by any
    /// other clock.
    Result<Time> time();
    /// The same; this peer's own clock while it is not known. For what is not lost by a wrong one.
    Time now();

 private:
    ClusterClock::View view();
    void raise(const ClusterClock::Skew& skew);

    World& world_;
    component::Membership& members_;
    component::PeerMonitor& monitor_;
    PeerId self_;
    Duration usual_ttl_;
    ClusterClock clock_;
};

/// What the sender's clock shows `elapsed` after its ping came, if that ping says so. Pure.
Time clock_of_ping(const Metric& ping, Duration elapsed, Duration usual_ttl);

}  // namespace ipfscluster::cluster
