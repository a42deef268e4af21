#pragma once
#include <string>
#include <vector>

#include "http/client.hpp"
#include "latency.hpp"

namespace ipfscluster::bench {

/// One run of many clients against the REST APIs of some peers.
struct PinLoad {
    std::vector<http::ClientConfig> apis;  ///< client k talks to apis[k % size]
    std::size_t clients = 64;         ///< each on one keep-alive connection, one request at a time
    std::uint64_t requests = 10'000;  ///< of all clients together
    Duration limit{};                 ///< stops sending after that; zero: never
    std::uint64_t seed = 1;           ///< which made-up CIDs
    std::uint64_t first = 0;          ///< their first index
    /// Shares of the requests. Each client unpins and reads only what it pinned itself.
    int pins = 1, unpins = 0, gets = 0;
    std::string query;  ///< of each pin request, without '?'
    double rate = 0;    ///< requests per second of all clients together; 0: as fast as answers come
    /// Stub daemons that must hold what is pinned at the end, and how long to wait for it after the
    /// last answer. `expected` counts on top of what they held at the start.
    std::vector<http::ClientConfig> daemons;
    std::uint64_t expected =
        0;  ///< pins at each daemon; 0: all that are pinned at the end of the run
    Duration realised_limit = std::chrono::minutes(2);
    /// After each pin its client asks daemons[k % size] until that holds it, at most
    /// `realised_limit`, before it sends the next request.
    bool told = false;
};

struct PinLoadResult {
    std::uint64_t acknowledged = 0;  ///< pins and unpins answered with success
    std::uint64_t reads = 0;
    std::uint64_t errors = 0;
    std::string first_error;
    double seconds = 0;  ///< from the first request to the last answer
    Latencies pin, unpin, get;
    Latencies told;                ///< from the request until the daemon held the pin
    double realised_seconds = -1;  ///< after the last answer; negative: not waited for
    std::uint64_t missing = 0;     ///< pins not realised in time, of all daemons together
    std::string to_json() const;
};

/// `invalid` when the options contradict each other, `unavailable` when a daemon's counters cannot
/// be read. Failed requests are counted, they do not end the run.
Async<PinLoadResult> run_pin_load(World& world, PinLoad load);

}  // namespace ipfscluster::bench
