#include "tracker/task_queues.hpp"

#include <algorithm>

namespace ipfscluster::tracker {

std::size_t TaskQueues::room(std::initializer_list<Line> lines) const {
    std::size_t longest = 0;
    for (const auto line : lines) longest = std::max(longest, size(line));
    return longest > kTrackerBatchMax / 2 ? 0 : kTrackerBatchMax - longest;
}

bool TaskQueues::any(std::initializer_list<Line> lines) {
    for (const auto line : lines) {
        auto& tasks = of(line);
        while (!tasks.empty() && tasks.front()->running) tasks.pop_front();
        if (!tasks.empty()) return true;
    }
    return false;
}

TaskPtr TaskQueues::take(Line line) {
    if (!any({line})) return nullptr;
    auto task = std::move(of(line).front());
    of(line).pop_front();
    return task;
}

TaskPtr TaskQueues::take_first(std::initializer_list<Line> lines) {
    for (const auto line : lines)
        if (auto task = take(line)) return task;
    return nullptr;
}

/// Two lines that stand behind another one have their turn alternately: either may be long.
TaskPtr TaskQueues::take_by_turns(std::uint64_t turn, Line first, Line one, Line other) {
    if (turn % 2 == 0) std::swap(one, other);
    const bool others_turn = turn % (kPriorityRunMax + 1) == 0;
    return others_turn ? take_first({one, other, first}) : take_first({first, one, other});
}

TaskPtr TaskQueues::next_untried() {
    if (auto alone = take(Line::alone)) return alone;
    return take_by_turns(++untried_, Line::fresh, Line::older, Line::lost);
}

TaskPtr TaskQueues::next_retry() {
    if (auto asked = take(Line::asked)) return asked;
    const bool others_turn = ++retries_ % (kPriorityRunMax + 1) == 0;
    return others_turn ? take_first({Line::retry, Line::fresh_retry})
                       : take_first({Line::fresh_retry, Line::retry});
}

TaskPtr TaskQueues::first_untried() {
    for (const auto line : {Line::alone, Line::fresh, Line::older, Line::lost})
        if (any({line})) return of(line).front();
    return nullptr;
}

}  // namespace ipfscluster::tracker
