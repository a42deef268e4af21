#pragma once
#include <array>
#include <cstdint>
#include <string>

#include "base/time.hpp"

namespace ipfscluster::bench {

/// Latencies counted in buckets of about 3 % width, from 1 µs to over an hour: constant memory for
/// any number of requests. A plain value.
class Latencies {
 public:
    void add(Duration taken);
    std::uint64_t count() const { return count_; }
    /// The latency that `share` (0 to 1) of the requests did not exceed, in milliseconds; 0 without
    /// any.
    double percentile_ms(double share) const;
    double max_ms() const;
    /// `{"count":…,"p50":…,"p90":…,"p99":…,"max":…}`, milliseconds.
    std::string to_json() const;

 private:
    static constexpr int kSteps = 32;  ///< per power of two
    static constexpr int kPowers = 32;
    std::array<std::uint64_t, kSteps * kPowers> buckets_{};
    std::uint64_t count_ = 0;
    Duration max_{};
};

}  // namespace ipfscluster::bench
