#pragma once
#include <string>

#include "runtime/world.hpp"

namespace ipfscluster::ipfshttp {

/// How often a daemon is asked whether it is there.
struct BreakerTimes {
    /// Between two probes of a daemon that is away or under suspicion.
    Duration probe_interval = std::chrono::seconds(1);
    /// Between two probes of a healthy daemon.
    Duration health_interval = std::chrono::seconds(10);
};

/// Decides whether calls may go to the daemon, and when to probe it. Closed: calls go out. Open:
/// none does; only probes, one at a time and at most one per `probe_interval`. Half open: such a
/// probe is under way. Begins open, as nothing is known yet. Pure: no clock and no I/O of its own;
/// one strand.
class CircuitBreaker {
 public:
    enum class State { closed, open, half_open };

    explicit CircuitBreaker(BreakerTimes times = {}) : times_(times) {}

    State state() const;
    /// May a call go out now?
    bool closed() const { return closed_; }
    /// Somebody doubts that the daemon is there and the probe has not answered yet.
    bool suspected() const { return suspected_; }
    /// Why calls are refused; empty while closed.
    const std::string& reason() const { return reason_; }

    /// Any byte from the daemon: it is there.
    void answered();
    /// No connection could be made: opens at once.
    void refused(std::string why);
    /// A call has waited long or was cut: stays as it is until the probe asked for here has
    /// answered.
    void suspect();

    /// When the next probe is due; the end of time while one is under way.
    SteadyTime next_probe() const;
    void probe_started(SteadyTime now);
    void probe_answered();
    /// Opens, or stays open.
    void probe_failed(std::string why);

 private:
    BreakerTimes times_;
    bool closed_ = false;
    bool suspected_ = false;
    bool probing_ = false;
    bool probed_ = false;  ///< `last_probe_` means something
    SteadyTime last_probe_{};
    std::string reason_ = "the IPFS daemon has not answered yet";
};

}  // namespace ipfscluster::ipfshttp
