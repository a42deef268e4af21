#pragma once
#include <chrono>
#include <optional>

#include "runtime/world.hpp"

namespace ipfscluster::component {

/// A pin that has fetched nothing for so long does not keep others from their turn any more.
inline constexpr Duration kPinSlowAfter = std::chrono::seconds(10);
/// Such pins that may wait at the daemon beside those that have their turn. With the defaults (ten
/// workers, which meet at most one dead item a second, and `pin_timeout` of two minutes) no more
/// than 110 are alive at once, so that `pin_timeout` ends them and not this bound. To Kubo each is
/// an open request and a bitswap session that waits for one block.
inline constexpr std::size_t kSlowPinsMax = 128;

/// Whether a running pin is slow: it has fetched nothing for `slow_after`, counted from when the
/// daemon was told. One that goes on after all is not dead, only slow: it has twice the time from
/// then on. A plain value.
class PinPace {
 public:
    explicit PinPace(Duration slow_after = kPinSlowAfter) : slow_after_(slow_after) {}
    /// The daemon was told, or something has come.
    void moved(SteadyTime now) {
        if (slow(now)) slow_after_ *= 2;
        moved_ = now;
    }
    bool slow(SteadyTime now) const { return moved_ && now >= *slow_from(); }
    /// When it is slow unless something comes; nothing before the daemon was told.
    std::optional<SteadyTime> slow_from() const {
        if (!moved_) return std::nullopt;
        return *moved_ + std::chrono::duration_cast<SteadyTime::duration>(slow_after_);
    }
    std::optional<SteadyTime> moved_at() const { return moved_; }

 private:
    Duration slow_after_;
    std::optional<SteadyTime> moved_;
};

}  // namespace ipfscluster::component
