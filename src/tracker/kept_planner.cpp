#include "tracker/kept_planner.hpp"

#include <algorithm>

#include "component/pin_tracker.hpp"

namespace ipfscluster::tracker {

namespace {

std::size_t needed_of(const Pin& pin) {
    return static_cast<std::size_t>(std::max(1, pin.options.replication_min));
}

bool same_second(Time a, Time b) {
    using std::chrono::seconds;
    return std::chrono::floor<seconds>(a) == std::chrono::floor<seconds>(b);
}

}  // namespace

KeptStep plan_kept(const Facts& facts) {
    if (!facts.kept) return KeptStep::nothing;
    if (facts.mine) return KeptStep::forget;
    if (!facts.pin || facts.pin->pin.type == PinType::meta) return KeptStep::release;
    const bool whole = facts.record && facts.record->phase == TrackRecord::Phase::pinned;
    return whole ? KeptStep::ask : KeptStep::find_out;
}

HolderQuestion plan_question(const Pin& pin, const PeerId& self, const std::vector<PeerId>& members,
                             const std::function<bool(const PeerId&)>& alive) {
    const auto may_hold = [&](const PeerId& peer) {
        // Who was removed goes with its copy.
        return peer != self && alive(peer) &&
               std::find(members.begin(), members.end(), peer) != members.end();
    };
    HolderQuestion question;
    const auto& candidates = pin.everywhere() ? members : pin.allocations;
    std::copy_if(candidates.begin(), candidates.end(), std::back_inserter(question.holders),
                 may_hold);
    question.needed =
        pin.everywhere() ? std::max<std::size_t>(1, question.holders.size()) : needed_of(pin);
    return question;
}

bool confirms(const PinInfo& answer, const Pin& pin, int kept_depth) {
    return answer.info.status == TrackerStatus::pinned && answer.cid == pin.cid &&
           answer.allocations == pin.allocations && same_second(answer.created, pin.timestamp) &&
           state::smaller_depth(pin.max_depth, kept_depth) == kept_depth;
}

std::string kept_text(const Pin& pin) {
    const std::string begin(component::kKeptText);
    if (pin.everywhere()) return begin + "all live holders have it";
    const auto needed = needed_of(pin);
    if (needed == 1) return begin + "1 holder has it";
    return begin + std::to_string(needed) + " holders have it";
}

}  // namespace ipfscluster::tracker
