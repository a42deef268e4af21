#include "tracker/pin_shares.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "base/planted.hpp"

namespace ipfscluster::tracker {

namespace {
/// Half of the workers; of one worker that one, when nobody else wants it.
int half(int workers) {
    return std::max(1, workers / 2);
}
}  // namespace

PinShares::Taken PinShares::taken() const {
    Taken taken;
    for (const auto& place : places_) {
        if (place.slow || place.leaves) continue;
        taken.beside = taken.beside || place.beside;
        if (place.beside) continue;
        ++taken.all;
        if (place.retry) ++taken.by_retries;
    }
    return taken;
}

PinTurn PinShares::turn(bool untried_wait, bool retries_wait) const {
    const auto now = taken();
    const bool free = now.all < workers_;
    if (free && retries_wait && planted(Bug::failed_before_untried)) return PinTurn::retry;
    if (free && untried_wait) return PinTurn::untried;
    if (!retries_wait) return PinTurn::nobody;
    if (free && now.by_retries < half(workers_)) return PinTurn::retry;
    // All workers are others': without this a stream of new pins would keep retries out for ever.
    const bool none_runs = now.by_retries == 0 && !now.beside;
    return none_runs ? PinTurn::retry_beside : PinTurn::nobody;
}

PinShares::Place& PinShares::begin(PinTurn turn) {
    ICL_ASSERT(turn != PinTurn::nobody, "nobody takes no place");
    auto& place = places_.emplace_back();
    place.retry = turn != PinTurn::untried;
    place.beside = turn == PinTurn::retry_beside;
    return place;
}

void PinShares::again(Place& place) {
    place.pace = component::PinPace();
    place.slow = false;
    place.leaves = false;
}

void PinShares::end(const Place& place) {
    const auto found = std::find_if(places_.begin(), places_.end(),
                                    [&place](const Place& p) { return &p == &place; });
    ICL_ASSERT(found != places_.end(), "an attempt ends once");
    places_.erase(found);
}

std::size_t PinShares::slow() const {
    return static_cast<std::size_t>(std::count_if(
        places_.begin(), places_.end(), [](const Place& p) { return p.slow && !p.leaves; }));
}

/// Only an attempt whose call is under way can be told to end.
PinShares::Place* PinShares::longest_waiting() {
    Place* longest = nullptr;
    for (auto& place : places_) {
        if (!place.slow || place.leaves || !place.pace.moved_at()) continue;
        if (!longest || *place.pace.moved_at() < *longest->pace.moved_at()) longest = &place;
    }
    return longest;
}

std::vector<PinShares::Place*> PinShares::take_workers(SteadyTime now) {
    std::vector<Place*> ending;
    for (auto& place : places_) place.slow = place.slow && place.pace.slow(now);
    auto slow_now = slow();
    for (auto& place : places_) {
        if (place.slow || !place.pace.slow(now)) continue;
        if (slow_now >= slow_max_) {
            auto* longest = longest_waiting();
            if (longest == nullptr) break;
            longest->leaves = true;
            ending.push_back(longest);
            --slow_now;
        }
        place.slow = true;
        ++slow_now;
    }
    return ending;
}

std::optional<SteadyTime> PinShares::next_slow(SteadyTime now) const {
    std::optional<SteadyTime> next;
    for (const auto& place : places_) {
        if (place.slow) continue;
        // One that was not told yet is not slow before that.
        const auto at = place.pace.slow_from().value_or(now + component::kPinSlowAfter);
        if (at > now && (!next || at < *next)) next = at;
    }
    return next;
}

PinTurn UnpinShares::turn(bool untried_wait, bool retries_wait) const {
    if (running_ >= workers_) return PinTurn::nobody;
    const bool may_retry = retries_wait && retries_ < half(workers_);
    if (untried_wait && !(may_retry && in_a_row_ >= kUnpinRunMax)) return PinTurn::untried;
    return may_retry ? PinTurn::retry : PinTurn::nobody;
}

void UnpinShares::begin(bool retry) {
    ++running_;
    if (retry) ++retries_;
    in_a_row_ = retry ? 0 : in_a_row_ + 1;
}

void UnpinShares::end(bool retry) {
    --running_;
    if (retry) --retries_;
    ICL_ASSERT(running_ >= 0 && retries_ >= 0, "an unpin ends once");
}

}  // namespace ipfscluster::tracker
