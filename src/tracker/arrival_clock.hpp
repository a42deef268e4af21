#pragma once
#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>

#include "base/time.hpp"

namespace ipfscluster::tracker {

/// Moments remembered; about one a second while work comes in.
inline constexpr std::size_t kArrivalsMax = 1024;

/// When State's numbered work rows came, to the second: tells pins that users have just made from
/// those that were made elsewhere and only came here (an import, a snapshot). A plain value.
class ArrivalClock {
 public:
    /// Rows up to `number` came before we looked.
    void start(std::uint64_t number) {
        samples_.clear();
        forgotten_ = number;
    }
    /// Rows up to `number` have come by `now`.
    void came(Time now, std::uint64_t number) {
        const bool same = !samples_.empty() && now >= samples_.back().time &&
                          now < samples_.back().time + std::chrono::seconds(1);
        if (same) {
            samples_.back().number = number;
            return;
        }
        samples_.push_back({now, number});
        if (samples_.size() <= kArrivalsMax) return;
        forgotten_ = samples_.front().number;
        samples_.pop_front();
    }
    /// Nothing for rows that came before we looked, or too long ago.
    std::optional<Time> arrival(std::uint64_t number) const {
        if (number <= forgotten_) return std::nullopt;
        const auto at =
            std::lower_bound(samples_.begin(), samples_.end(), number,
                             [](const Sample& s, std::uint64_t n) { return s.number < n; });
        if (at == samples_.end()) return std::nullopt;
        return at->time;
    }

 private:
    struct Sample {
        Time time;
        std::uint64_t number;
    };
    std::deque<Sample> samples_;
    std::uint64_t forgotten_ = 0;
};

}  // namespace ipfscluster::tracker
