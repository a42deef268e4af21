#include "tracker/track_planner.hpp"

namespace ipfscluster::tracker {

using Phase = TrackRecord::Phase;

Step plan_step(const Facts& facts, state::WorkLane lane) {
    if (facts.mine) {
        const bool held = facts.record && facts.record->phase == Phase::pinned &&
                          facts.record->modification_index == facts.pin->modification_index;
        return held ? Step::nothing : Step::pin;
    }
    // Others may not have it yet; an unpin row is written when they do.
    if (facts.kept) return Step::nothing;
    const bool of_others = facts.pin && facts.pin->pin.type != PinType::meta;
    const bool unpin_failed = facts.record && facts.record->phase == Phase::unpin_error;
    // Given to others by a snapshot, and the comparison has not come to it: it will be kept then.
    if (of_others && lane != state::WorkLane::unpin && !unpin_failed) return Step::nothing;
    // A lost record proves nothing, so an unpin row always reaches the daemon; a pin row that was
    // overtaken by an unpin has that one's row behind it.
    return facts.record || lane == state::WorkLane::unpin ? Step::unpin : Step::nothing;
}

bool has_moved_on(const Facts& before, const Facts& after) {
    if (before.mine != after.mine) return true;
    return after.mine && before.pin->modification_index != after.pin->modification_index;
}

bool is_priority(const Pin& pin, std::uint32_t attempts, Time now, const PriorityRule& rule) {
    return now < pin.timestamp + rule.max_age && attempts <= rule.max_retries;
}

Line line_of_retry(const Facts& facts, Time now, const PriorityRule& rule) {
    if (!facts.mine) return Line::unpin_retry;
    const auto& record = facts.record;
    if (record && record->phase == Phase::unexpectedly_unpinned) return Line::lost;
    const auto attempts = record ? record->attempts : 0;
    return is_priority(facts.pin->pin, attempts, now, rule) ? Line::fresh_retry : Line::retry;
}

WorkView view_for(Line line) {
    switch (line) {
        case Line::unpin:
            return WorkView::unpins;
        case Line::unpin_retry:
            return WorkView::unpin_retries;
        case Line::fresh:
        case Line::alone:
            return WorkView::pins;
        case Line::older:
            return WorkView::older;
        case Line::lost:
            return WorkView::lost;
        case Line::asked:
            return WorkView::asked;
        case Line::fresh_retry:
        case Line::retry:
            break;
    }
    return WorkView::pin_retries;
}

bool fits_handful(const Facts& facts) {
    if (!facts.mine || facts.record) return false;
    const auto& pin = facts.pin->pin;
    return pin.max_depth < 0 && pin.options.origins.empty() && !pin.options.pin_update.defined();
}

Duration retry_delay(std::uint32_t attempts, Duration first, Duration longest) {
    if (attempts == 0) return Duration::zero();
    auto delay = first;
    for (std::uint32_t i = 1; i < attempts && delay < longest; ++i) delay *= 2;
    return std::min(delay, longest);
}

bool is_held(const Pin& pin, IpfsPinStatus status) {
    if (status == IpfsPinStatus::recursive) return true;
    return status == IpfsPinStatus::direct && pin.max_depth == kDepthDirect;
}

Finding compare_with_daemon(const Facts& facts, bool held) {
    if (!facts.mine) return Finding::as_recorded;
    const bool claimed = facts.record && facts.record->phase == Phase::pinned &&
                         facts.record->modification_index == facts.pin->modification_index;
    if (held == claimed) return Finding::as_recorded;
    return held ? Finding::pinned : Finding::lost;
}

TrackerStatus resting_status(const Facts& facts, Time now) {
    const auto& record = facts.record;
    // Due again, by the clock or because somebody asked to recover it.
    const bool due = record && record->next_retry != kTimeUnset && record->next_retry <= now;
    if (!facts.pin) {
        if (!record) return TrackerStatus::unpinned;
        const bool failed = record->phase == Phase::unpin_error && !due;
        return failed ? TrackerStatus::unpin_error : TrackerStatus::unpin_queued;
    }
    if (facts.pin->pin.type == PinType::meta) return TrackerStatus::sharded;
    if (!facts.mine) return TrackerStatus::remote;
    const bool of_this = record && (record->modification_index == kIndexUnknown ||
                                    record->modification_index == facts.pin->modification_index);
    if (!of_this || due) return TrackerStatus::pin_queued;
    switch (record->phase) {
        case Phase::pinned:
            return TrackerStatus::pinned;
        case Phase::pin_error:
            return TrackerStatus::pin_error;
        case Phase::unexpectedly_unpinned:
            return TrackerStatus::unexpectedly_unpinned;
        case Phase::unpin_error:
            break;
    }
    return TrackerStatus::pin_queued;
}

bool can_recover(TrackerStatus status) {
    return status == TrackerStatus::pin_error || status == TrackerStatus::unpin_error ||
           status == TrackerStatus::unexpectedly_unpinned;
}

bool tries_itself(const Facts& facts, Time now, Duration longest) {
    if (!facts.record || facts.record->next_retry == kTimeUnset) return false;
    return facts.record->next_retry <= now + longest;
}

}  // namespace ipfscluster::tracker
