#pragma once
#include <ostream>
#include <string>

#include "base/time.hpp"
#include "runtime/world.hpp"

namespace ipfscluster::ctl {

/// One line of a progress bar: done of total, bar, rate and time left. `total` 0 means unknown.
std::string progress_line(std::uint64_t done, std::uint64_t total, Duration elapsed);

/// Draws the line over itself, at most some times a second. Owned by the command; silent when off.
class ProgressBar {
 public:
    ProgressBar(World& world, std::ostream& out, bool on, std::uint64_t total);
    void update(std::uint64_t done);
    /// Wipes the line so that other output can follow; the next update draws it again.
    void clear();

 private:
    World& world_;
    std::ostream& out_;
    bool on_;
    std::uint64_t total_;
    SteadyTime started_;
    SteadyTime drawn_{};
    bool visible_ = false;
};

}  // namespace ipfscluster::ctl
