#include "cluster/cluster_clock.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/planted.hpp"

namespace ipfscluster::cluster {

namespace {
/// Neither is before 1970: the difference of two such times cannot overflow.
Duration difference(Time a, Time b) {
    return std::max(a, kTimeUnset) - std::max(b, kTimeUnset);
}
}  // namespace

void ClusterClock::look(const View& view) {
    note_jump(view);
    time_ = judge(view);
    if (time_) note_skews(view);
}

void ClusterClock::note_jump(const View& view) {
    const auto wall = difference(view.wall, last_wall_);
    const Duration steady = view.steady - last_steady_;
    const bool jumped = wall - steady > kClockJump || steady - wall > kClockJump;
    if (!looked_ || jumped)
        believed_from_ =
            view.steady + std::chrono::duration_cast<SteadyTime::duration>(kLoneClockSettles);
    looked_ = true;
    last_wall_ = view.wall;
    last_steady_ = view.steady;
}

Result<Time> ClusterClock::judge(const View& view) const {
    if (planted(Bug::own_clock_believed)) return view.wall;
    if (view.readings.size() * 2 <= view.members.size())
        return fail(Kind::unavailable, fmt::format("the clocks of only {} of {} members are known",
                                                   view.readings.size(), view.members.size()));
    if (view.members.size() == 1 && view.steady < believed_from_)
        return fail(Kind::unavailable,
                    "this peer is alone and its clock has been set, or it has started, less than " +
                        format_go_duration(kLoneClockSettles) + " ago");
    std::vector<Time> clocks;
    for (const auto& reading : view.readings) clocks.push_back(reading.now);
    const auto lower = clocks.begin() + static_cast<std::ptrdiff_t>((clocks.size() - 1) / 2);
    std::nth_element(clocks.begin(), lower, clocks.end());
    return *lower;
}

void ClusterClock::note_skews(const View& view) {
    std::erase_if(episodes_, [&](const auto& e) { return !view.members.contains(e.first); });
    for (const auto& reading : view.readings) {
        const auto ahead = difference(reading.now, time_.value());
        if (ahead <= kClockSkewAlert && ahead >= -kClockSkewAlert) {
            episodes_.erase(reading.peer);
            continue;
        }
        episodes_.emplace(reading.peer, Episode{view.steady}).first->second.ahead = ahead;
    }
}

std::vector<ClusterClock::Skew> ClusterClock::take_skews() {
    std::vector<Skew> out;
    if (!time_) return out;
    for (auto& [peer, episode] : episodes_) {
        if (episode.told || last_steady_ - episode.since < kClockSkewLasts) continue;
        episode.told = true;
        out.push_back({peer, episode.ahead});
    }
    return out;
}

}  // namespace ipfscluster::cluster
