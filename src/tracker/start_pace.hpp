#pragma once
#include <algorithm>
#include <cstdint>
#include <limits>

#include "runtime/world.hpp"

namespace ipfscluster::tracker {

/// Arrivals of work rows per second from which acknowledgements go before the daemon.
inline constexpr std::uint64_t kBusyArrivals = 1'000;
/// Tasks started per second meanwhile.
inline constexpr std::uint64_t kBusyStarts = 500;
/// Rows that may pile up for that: with more of them the daemon gets its full share again.
inline constexpr std::uint64_t kHeldBackMax = 50'000;

/// Holds the tracker back while a burst of operations is being acknowledged: with a daemon that
/// answers at once, telling it costs more processor time than agreeing on the pin, and users wait
/// for the agreement. A daemon that takes its time never gets so many calls, and a long queue runs
/// at full speed. Looks at windows of a tenth of a second. A plain value.
class StartPace {
 public:
    /// How many tasks may start now. `added`: all work rows ever added; `waiting`: those that are
    /// left.
    std::uint64_t allowed(SteadyTime now, std::uint64_t added, std::uint64_t waiting) {
        const auto passed = now - window_start_;
        if (passed >= kWindow) {
            const auto tenths = std::max<std::int64_t>(1, passed / kWindow);
            const auto per_window = (added - window_added_) / static_cast<std::uint64_t>(tenths);
            // Before the first window nothing is known.
            busy_ = window_start_ != SteadyTime{} && per_window > kBusyArrivals / kWindowsPerSecond;
            window_start_ = now;
            window_added_ = added;
            started_ = 0;
        }
        if (!busy_ || waiting > kHeldBackMax) return std::numeric_limits<std::uint64_t>::max();
        constexpr std::uint64_t most = kBusyStarts / kWindowsPerSecond;
        return started_ < most ? most - started_ : 0;
    }
    void started() { ++started_; }
    /// When to look again once nothing is allowed.
    SteadyTime window_end() const { return window_start_ + kWindow; }

 private:
    static constexpr std::uint64_t kWindowsPerSecond = 10;
    static constexpr SteadyTime::duration kWindow = std::chrono::milliseconds(100);
    SteadyTime window_start_{};
    std::uint64_t window_added_ = 0;
    std::uint64_t started_ = 0;
    bool busy_ = false;
};

}  // namespace ipfscluster::tracker
