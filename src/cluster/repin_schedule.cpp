#include "cluster/repin_schedule.hpp"

#include <algorithm>

namespace ipfscluster::cluster {

namespace {
SteadyTime after(SteadyTime at, Duration pause) {
    return at + std::chrono::duration_cast<SteadyTime::duration>(pause);
}
}  // namespace

bool RepinSchedule::look(const View& view, SteadyTime now) {
    news_ = news_ || !std::includes(view.members.begin(), view.members.end(), last_.members.begin(),
                                    last_.members.end());
    if (view.acting != last_.acting) {
        walked_for_.clear();
        next_ = Next::nothing;
        news_ = true;
    }
    if (next_ != Next::confirmation &&
        (view.members != last_.members || view.alive != last_.alive)) {
        // What had no room may have some now.
        pause_ = kRepinRetryMin;
        retry_at_ = std::min(retry_at_, after(ended_, pause_));
    }
    std::erase_if(walked_for_, [&](const PeerId& peer) {
        return view.alive.contains(peer) || !view.members.contains(peer);
    });
    last_ = view;
    if (!view.acting) return false;
    const bool new_dead =
        std::any_of(view.overdue.begin(), view.overdue.end(),
                    [&](const PeerId& peer) { return !walked_for_.contains(peer); });
    return news_ || new_dead || (next_ != Next::nothing && now >= retry_at_);
}

void RepinSchedule::walked(const std::vector<PeerId>& overdue, Walk walk, SteadyTime now) {
    const bool confirmed = next_ == Next::confirmation && !news_ && !walk.moved && !walk.left &&
                           std::all_of(overdue.begin(), overdue.end(), [&](const PeerId& peer) {
                               return walked_for_.contains(peer);
                           });
    news_ = false;
    walked_for_.insert(overdue.begin(), overdue.end());
    next_ = confirmed ? Next::nothing : walk.left ? Next::retry : Next::confirmation;
    ended_ = now;
    if (walk.left) {
        retry_at_ = after(now, pause_);
        pause_ = std::min(pause_ * 2, kRepinRetryMax);
        return;
    }
    pause_ = kRepinRetryMin;
    retry_at_ = after(now, kRepinConfirm);
}

}  // namespace ipfscluster::cluster
