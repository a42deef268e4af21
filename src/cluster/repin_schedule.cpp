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
    if (next_ == Next::watch && view.moving.empty()) next_ = Next::nothing;
    if (next_ != Next::confirmation &&
        (view.members != last_.members || view.alive != last_.alive)) {
        // What had no room may have some now.
        pause_ = kRepinRetryMin;
        retry_at_ = std::min(retry_at_, after(ended_, pause_));
    }
    const auto& was_moving = last_.moving;
    std::erase_if(walked_for_, [&](const PeerId& peer) {
        const bool here = view.alive.contains(peer) || was_moving.contains(peer);
        return !view.members.contains(peer) || (here && !view.moving.contains(peer));
    });
    last_ = view;
    if (!view.acting) return false;
    const auto is_new = [&](const PeerId& peer) { return !walked_for_.contains(peer); };
    const bool new_one = std::any_of(view.overdue.begin(), view.overdue.end(), is_new) ||
                         std::any_of(view.moving.begin(), view.moving.end(), is_new);
    return news_ || new_one || (next_ != Next::nothing && now >= retry_at_);
}

void RepinSchedule::walked(const std::vector<PeerId>& peers, Walk walk, SteadyTime now) {
    const bool looked_before = next_ == Next::confirmation || next_ == Next::watch;
    const bool confirmed = looked_before && !news_ && !walk.moved && !walk.left &&
                           std::all_of(peers.begin(), peers.end(), [&](const PeerId& peer) {
                               return walked_for_.contains(peer);
                           });
    news_ = false;
    walked_for_.insert(peers.begin(), peers.end());
    const auto at_rest = last_.moving.empty() ? Next::nothing : Next::watch;
    next_ = walk.left ? Next::retry : confirmed ? at_rest : Next::confirmation;
    ended_ = now;
    if (walk.left) {
        retry_at_ = after(now, pause_);
        pause_ = std::min(pause_ * 2, kRepinRetryMax);
        return;
    }
    pause_ = kRepinRetryMin;
    retry_at_ = after(now, confirmed ? kRepinMovingLook : kRepinConfirm);
}

}  // namespace ipfscluster::cluster
