#include "tracker/pin_queue.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "base/log.hpp"

namespace ipfscluster::tracker {

using storage::Batch;
using storage::Family;

namespace {

/// Pause before the queues are filled again for a row that came due meanwhile.
constexpr Duration kDueAgain = std::chrono::milliseconds(10);
/// The lines that are filled from the retry rows, one for each view.
constexpr std::array kRetryLines{Line::asked, Line::lost, Line::unpin_retry, Line::retry};

auto log() {
    return logger("pintracker");
}

/// Which of two rows of one CID tells of the later decision. State numbers its rows in the order of
/// the log; a retry is older than any of them. The release of a kept copy has the number of the row
/// it comes after.
bool is_newer(const WorkRow& a, const WorkRow& b) {
    const auto rank = [](const WorkRow& r) {
        return std::pair(r.lane == WorkLane::retry ? 0 : r.number, r.lane == WorkLane::unpin);
    };
    return rank(a) > rank(b);
}

}  // namespace

PriorityRule PinQueue::priority_rule() const {
    return {parts_.options.priority_pin_max_age,
            static_cast<std::uint32_t>(parts_.options.priority_pin_max_retries)};
}

std::uint64_t PinQueue::size() const {
    return rows_.size(parts_.pinset.work_added());
}

TaskPtr PinQueue::find(const Cid& cid) const {
    const auto found = active_.find(cid);
    return found == active_.end() ? nullptr : found->second;
}

TaskPtr PinQueue::find_at(const PinShares::Place* place) const {
    const auto found = std::find_if(active_.begin(), active_.end(),
                                    [place](const auto& it) { return it.second->place == place; });
    return found == active_.end() ? nullptr : found->second;
}

void PinQueue::runs(const TaskPtr& task) {
    ICL_ASSERT(!task->running && find(task->row.cid) == task, "a task is taken once, from here");
    task->running = true;
    ++running_;
}

void PinQueue::ended(const TaskPtr& task) {
    ICL_ASSERT(task->running && running_ > 0, "only what runs can end");
    --running_;
    active_.erase(task->row.cid);
    ICL_ASSERT(running_ <= active_.size(), "what runs is active");
}

void PinQueue::tell_alone(const TaskPtr& task) {
    ICL_ASSERT(task->running && task->alone && running_ > 0, "it ran with others, and stands back");
    --running_;
    task->running = false;
    lines_.push(Line::alone, task);
}

Result<> PinQueue::fill() {
    ICL_TRY(fill_unpins());
    ICL_TRY(fill_pins());
    ICL_TRY(fill_older());
    ICL_TRY(fill_retries());
    const auto queued = size();
    const bool too_long = queued > static_cast<std::uint64_t>(parts_.options.max_pin_queue_size);
    if (too_long && !warned_)
        log()->warn("the queue is longer than max_pin_queue_size; it waits on disk queued={}",
                    queued);
    warned_ = too_long;
    return ok();
}

Result<> PinQueue::fill_unpins() {
    ICL_TRY(auto rows, rows_.take(WorkView::unpins, UINT64_MAX, lines_.room({Line::unpin})));
    if (!rows.empty()) parts_.wakeup.again();
    for (auto& row : rows) {
        ICL_TRY(admit(std::move(row), Line::unpin));
    }
    return ok();
}

/// New pins: the fresh ones queue up, the old ones (an import, a move) step back behind them.
Result<> PinQueue::fill_pins() {
    const auto now = parts_.world.system_now();
    ICL_TRY(auto rows, rows_.take(WorkView::pins, UINT64_MAX, lines_.room({Line::fresh})));
    if (!rows.empty()) parts_.wakeup.again();
    Batch batch;
    for (auto& row : rows) {
        ICL_TRY(const auto pin, parts_.facts.pin(row.cid));
        const bool old = pin && !is_priority(pin->pin, 0, now, priority_rule());
        if (!old || active_.contains(row.cid)) {
            ICL_TRY(admit(std::move(row), Line::fresh));
            continue;
        }
        rows_.remove(batch, row);
        row.lane = WorkLane::later;
        rows_.add(batch, row);
    }
    return batch.empty() ? ok() : rows_.write(std::move(batch));
}

Result<> PinQueue::fill_older() {
    ICL_TRY(auto rows, rows_.take(WorkView::older, UINT64_MAX, lines_.room({Line::older})));
    for (auto& row : rows) {
        ICL_TRY(admit(std::move(row), Line::older));
    }
    return ok();
}

/// Rows that may be read for a line of what failed; both lines of pins are read at once.
std::size_t PinQueue::room_for(Line line) const {
    return line == Line::retry ? lines_.room({Line::fresh_retry, Line::retry})
                               : lines_.room({line});
}

/// What is due again. Each view meets the rows of the others, too, and leaves them to those that
/// have not met them yet: what a row is may have changed since. What a task has to do it finds out
/// when it runs.
Result<> PinQueue::fill_retries() {
    const auto now = parts_.world.system_now();
    for (const auto line : kRetryLines) {
        const auto view = view_for(line);
        ICL_TRY(auto rows, rows_.take(view, as_number(now), room_for(line)));
        if (!rows.empty()) parts_.wakeup.again();
        for (auto& row : rows) {
            ICL_TRY(const auto facts, parts_.facts.read(row.cid));
            const auto into = view == WorkView::asked ? line_of_asked(facts)
                                                      : line_of_retry(facts, now, priority_rule());
            const auto other = view_for(into);
            const bool left = view != WorkView::asked && other != view;
            if (left && !rows_.was_met(other, row)) continue;
            ICL_TRY(admit(std::move(row), into));
        }
    }
    return ok();
}

std::optional<SteadyTime> PinQueue::next_due() const {
    std::optional<SteadyTime> first;
    const auto steady = parts_.world.steady_now();
    const auto now = as_number(parts_.world.system_now());
    for (const auto line : kRetryLines) {
        const auto next = rows_.peek(view_for(line));
        if (!next) continue;
        const auto wait = *next > now ? *next - now : 0;
        // A due row that found no room waits for a worker, not for the clock; with room, it came
        // due since the lines were filled.
        if (wait == 0 && room_for(line) == 0) continue;
        const auto at = steady + (wait > 0 ? Duration(wait) : kDueAgain);
        if (!first || at < *first) first = at;
    }
    return first;
}

/// A full line must not grow by what is asked for, however much that is.
Line PinQueue::line_of_asked(const Facts& facts) const {
    const bool unpin = !facts.mine && lines_.size(Line::unpin_retry) < kTrackerBatchMax;
    return unpin ? Line::unpin_retry : Line::asked;
}

Result<> PinQueue::admit(WorkRow row, Line into) {
    if (const auto it = active_.find(row.cid); it != active_.end()) {
        const auto task = it->second;
        // A newer wish may overtake: the task stands in two lines, whoever takes it first runs it.
        const bool overtakes = into == Line::unpin || into == Line::fresh;
        if (overtakes && !task->running) lines_.push(into, task);
        return merge(task, std::move(row));
    }
    auto cid = row.cid;
    auto task = std::make_shared<Task>(parts_.world.executor(), std::move(row));
    task->since = parts_.world.system_now();
    active_.emplace(std::move(cid), task);
    lines_.push(into, std::move(task));
    return ok();
}

/// Two rows of one CID are one task: it reads the pinset when it runs and again when it ends. Only
/// the newer row stays, so that after a crash the one that is left asks for the right thing.
Result<> PinQueue::merge(const TaskPtr& task, WorkRow row) {
    if (row == task->row) return ok();
    Batch batch;
    const bool newer = is_newer(row, task->row);
    if (newer) std::swap(task->row, row);
    // A retry row belongs to its record, which is written when the task ends.
    if (row.lane != WorkLane::retry) {
        rows_.remove(batch, row);
        ICL_TRY(rows_.write(std::move(batch)));
    }
    if (task->running && newer && task->step == Step::pin) {
        ICL_TRY(const auto facts, parts_.facts.read(task->row.cid));
        if (!facts.mine) {
            task->interrupt = Error{Kind::cancelled, "the item was unpinned meanwhile"};
            task->interrupted.notify_all();
        }
    }
    return ok();
}

Result<> PinQueue::requeue(const Cid& cid, Facts& facts, Time due) {
    if (!facts.record) return ok();
    if (const auto it = active_.find(cid); it != active_.end()) {
        const auto& task = it->second;
        if (due != kDueAtOnce || task->running || task->hurried) return ok();
        task->hurried = true;
        lines_.push(line_of_asked(facts), task);
        parts_.wakeup.notify();
        return ok();
    }
    Batch batch;
    auto& record = *facts.record;
    if (record.next_retry != kTimeUnset)
        rows_.remove(batch, {WorkLane::retry, as_number(record.next_retry), cid});
    record.next_retry = due;
    rows_.add(batch, {WorkLane::retry, as_number(record.next_retry), cid});
    batch.put(Family::tracker, cid.bytes(), encode(record));
    ICL_TRY(rows_.write(std::move(batch)));
    parts_.wakeup.notify();
    return ok();
}

}  // namespace ipfscluster::tracker
