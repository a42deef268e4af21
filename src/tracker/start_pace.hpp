#pragma once
#include <algorithm>
#include <cstdint>
#include <limits>

#include "runtime/world.hpp"

namespace ipfscluster::tracker {

/// Arrivals of work rows per second up to which nothing is ever held back.
inline constexpr std::uint64_t kBusyArrivals = 1'000;
/// Others wait for the strand when it comes back to us later than this: some requests were answered
/// in between. It is taken to be like that for some time.
inline constexpr SteadyTime::duration kLongTurn = std::chrono::microseconds(100);
inline constexpr SteadyTime::duration kLongTurnFor = std::chrono::milliseconds(100);
/// Pins that may start in each window meanwhile: more than may arrive without a burst, and one more
/// for each so many that wait, so that a long burst does not pile up all of its pins.
inline constexpr SteadyTime::duration kStartWindow = std::chrono::milliseconds(10);
inline constexpr std::uint64_t kBusyStarts = 12;
inline constexpr std::uint64_t kCatchUp = 2'048;
/// Rows that may pile up for that: with more of them the daemon gets its full share again.
inline constexpr std::uint64_t kHeldBackMax = 50'000;

/// Holds the tracker back while a burst of operations is being acknowledged and the strand has no
/// time to spare: with a daemon that answers at once, telling it costs processor time that the
/// agreement on a pin wants as well, and users wait for the agreement. Time that nobody wants goes
/// to the daemon, and a long queue runs at full speed. A plain value.
class StartPace {
 public:
    /// How long the strand was at others after we let them go first.
    void turn_took(SteadyTime now, SteadyTime::duration took) {
        if (took > kLongTurn) long_turn_ = now;
    }
    /// How many pins may start now. `added`: all work rows ever added; `waiting`: those that are
    /// left.
    std::uint64_t allowed(SteadyTime now, std::uint64_t added, std::uint64_t waiting) {
        count(now, added);
        if (now - window_start_ >= kStartWindow) {
            window_start_ = now;
            started_ = 0;
        }
        const bool no_time = long_turn_ != SteadyTime{} && now - long_turn_ < kLongTurnFor;
        if (!burst_ || !no_time || waiting > kHeldBackMax)
            return std::numeric_limits<std::uint64_t>::max();
        const auto most = kBusyStarts + waiting / kCatchUp;
        return started_ < most ? most - started_ : 0;
    }
    void started(std::uint64_t pins) { started_ += pins; }
    /// When to look again once nothing is allowed.
    SteadyTime window_end() const { return window_start_ + kStartWindow; }

 private:
    /// The arrivals are counted over so long.
    static constexpr SteadyTime::duration kSpan = std::chrono::milliseconds(10);
    static constexpr std::uint64_t kSpansPerSecond = 100;

    void count(SteadyTime now, std::uint64_t added) {
        const auto passed = now - span_start_;
        if (passed < kSpan) return;
        const auto spans = std::max<std::int64_t>(1, passed / kSpan);
        const auto per_span = (added - span_added_) / static_cast<std::uint64_t>(spans);
        // Before the first span nothing is known.
        burst_ = span_start_ != SteadyTime{} && per_span > kBusyArrivals / kSpansPerSecond;
        span_start_ = now;
        span_added_ = added;
    }

    SteadyTime span_start_{};
    std::uint64_t span_added_ = 0;
    bool burst_ = false;
    SteadyTime long_turn_{};  ///< when the last one ended
    SteadyTime window_start_{};
    std::uint64_t started_ = 0;
};

}  // namespace ipfscluster::tracker
