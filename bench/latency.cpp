#include "latency.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace ipfscluster::bench {

void Latencies::add(Duration taken) {
    const auto us = static_cast<std::uint64_t>(std::max<std::int64_t>(1, taken.count() / 1000));
    const int power = std::bit_width(us) - 1;
    // The five bits after the leading one.
    const auto step = power >= 5 ? (us >> (power - 5)) & 31 : (us << (5 - power)) & 31;
    const auto bucket = static_cast<std::size_t>(power) * kSteps + step;
    ++buckets_[std::min(bucket, buckets_.size() - 1)];
    ++count_;
    max_ = std::max(max_, taken);
}

double Latencies::percentile_ms(double share) const {
    if (count_ == 0) return 0;
    const auto wanted = std::max<double>(1, share * static_cast<double>(count_));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
        seen += buckets_[i];
        if (static_cast<double>(seen) < wanted) continue;
        // The upper edge of the bucket.
        const double edge = (1.0 + static_cast<double>(i % kSteps + 1) / kSteps) *
                            static_cast<double>(1ULL << (i / kSteps)) / 1000;
        return std::min(edge, max_ms());
    }
    return max_ms();
}

double Latencies::max_ms() const {
    return static_cast<double>(max_.count()) / 1e6;
}

std::string Latencies::to_json() const {
    return fmt::format(R"({{"count":{},"p50":{:.3f},"p90":{:.3f},"p99":{:.3f},"max":{:.3f}}})",
                       count_, percentile_ms(0.5), percentile_ms(0.9), percentile_ms(0.99),
                       max_ms());
}

}  // namespace ipfscluster::bench
