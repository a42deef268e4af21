#include "cluster/clock_watch.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "cluster/ping_value.hpp"

namespace ipfscluster::cluster {

Time clock_of_ping(const Metric& ping, Duration elapsed, Duration usual_ttl) {
    const auto value = parse_ping(ping.value);
    const auto ttl = value && value->ttl ? *value->ttl : usual_ttl;
    // Whatever the sender wrote, nothing here overflows.
    const auto expire = std::clamp(ping.expire, kTimeUnset + ttl, Time::max() - elapsed);
    return expire - ttl + elapsed;
}

ClockWatch::ClockWatch(World& world, component::Membership& members,
                       component::PeerMonitor& monitor, PeerId self, Duration usual_ttl)
    : world_(world),
      members_(members),
      monitor_(monitor),
      self_(std::move(self)),
      usual_ttl_(usual_ttl) {}

ClusterClock::View ClockWatch::view() {
    ClusterClock::View view{
        .members = {}, .readings = {}, .wall = world_.system_now(), .steady = world_.steady_now()};
    const auto members = members_.known();
    view.members = {members.begin(), members.end()};
    if (view.members.contains(self_)) view.readings.push_back({self_, view.wall});
    for (const auto& heard : monitor_.heard("ping"))
        if (heard.metric.peer != self_)
            view.readings.push_back(
                {heard.metric.peer,
                 clock_of_ping(heard.metric, view.steady - heard.at, usual_ttl_)});
    return view;
}

Result<Time> ClockWatch::time() {
    clock_.look(view());
    for (const auto& skew : clock_.take_skews()) raise(skew);
    return clock_.time();
}

Time ClockWatch::now() {
    const auto known = time();
    return known ? known.value() : world_.system_now();
}

void ClockWatch::raise(const ClusterClock::Skew& skew) {
    const bool ahead = skew.ahead > Duration::zero();
    const auto by = std::chrono::round<std::chrono::seconds>(ahead ? skew.ahead : -skew.ahead);
    Metric about;
    about.name = "clock";
    about.peer = skew.peer;
    about.value = "its clock is " + format_go_duration(by) + (ahead ? " ahead of" : " behind") +
                  " the clocks of the other members";
    monitor_.raise(std::move(about));
}

}  // namespace ipfscluster::cluster
