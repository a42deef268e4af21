#include "ipfs/http/circuit_breaker.hpp"

namespace ipfscluster::ipfshttp {

CircuitBreaker::State CircuitBreaker::state() const {
    if (closed_) return State::closed;
    return probing_ ? State::half_open : State::open;
}

void CircuitBreaker::answered() {
    closed_ = true;
    suspected_ = false;
    reason_.clear();
}

void CircuitBreaker::refused(std::string why) {
    closed_ = false;
    suspected_ = false;
    reason_ = std::move(why);
}

void CircuitBreaker::suspect() {
    if (closed_) suspected_ = true;
}

SteadyTime CircuitBreaker::next_probe() const {
    if (probing_) return SteadyTime::max();
    if (!probed_) return SteadyTime::min();
    const bool soon = !closed_ || suspected_;
    return last_probe_ + std::chrono::duration_cast<SteadyTime::duration>(
                             soon ? times_.probe_interval : times_.health_interval);
}

void CircuitBreaker::probe_started(SteadyTime now) {
    probing_ = true;
    probed_ = true;
    last_probe_ = now;
}

void CircuitBreaker::probe_answered() {
    probing_ = false;
    answered();
}

void CircuitBreaker::probe_failed(std::string why) {
    probing_ = false;
    refused(std::move(why));
}

}  // namespace ipfscluster::ipfshttp
