#pragma once
#include <array>
#include <deque>

#include "tracker/task.hpp"

namespace ipfscluster::tracker {

/// Rows of one queue that are held in memory; the rest waits in the database.
inline constexpr std::size_t kTrackerBatchMax = 256;
/// After so many fresh ones in a row an older one of the same kind gets its turn.
inline constexpr std::uint64_t kPriorityRunMax = 8;

/// The tasks that wait for their turn, and which of them is next among its kind. A task may stand
/// in two lines after a newer row of its CID came: whoever takes it first runs it. Owned by the
/// tracker; one strand.
class TaskQueues {
 public:
    void push(Line line, TaskPtr task) { of(line).push_back(std::move(task)); }
    std::size_t size(Line line) const { return lines_[slot(line)].size(); }
    /// Rows that may be read for these lines now: none while one of them is more than half full.
    std::size_t room(std::initializer_list<Line> lines) const;

    /// Whether a task waits in one of these lines; lets go of those that run already.
    bool any(std::initializer_list<Line> lines);
    bool untried_pins() { return any({Line::alone, Line::fresh, Line::older, Line::lost}); }
    /// How many of those wait, or a few more.
    std::size_t untried_size() const {
        return size(Line::alone) + size(Line::fresh) + size(Line::older) + size(Line::lost);
    }
    bool pin_retries() { return any({Line::asked, Line::fresh_retry, Line::retry}); }

    /// Null when there is none.
    TaskPtr take(Line line);
    TaskPtr next_untried();
    TaskPtr next_retry();
    /// The pin that is next unless a fresh one comes; null when none waits that was never tried.
    TaskPtr first_untried();

 private:
    static std::size_t slot(Line line) { return static_cast<std::size_t>(line); }
    std::deque<TaskPtr>& of(Line line) { return lines_[slot(line)]; }
    TaskPtr take_first(std::initializer_list<Line> lines);
    TaskPtr take_by_turns(std::uint64_t turn, Line first, Line one, Line other);

    std::array<std::deque<TaskPtr>, kLines> lines_;
    std::uint64_t untried_ = 0;  ///< taken so far
    std::uint64_t retries_ = 0;
};

}  // namespace ipfscluster::tracker
