#include "consensus/raft/life.hpp"

#include "base/assert.hpp"
#include "base/log.hpp"

namespace ipfscluster::raft {

void Life::run() {
    ICL_ASSERT(phase_ == Phase::starting, "a component runs once");
    phase_ = Phase::running;
}

void Life::end(Error why) {
    if (over()) return;
    if (why.kind == Kind::conflict && !removed_) why.kind = Kind::internal;
    if (const auto damage = events_.damage(); !damage.empty() && !removed_)
        why = {Kind::corrupt, damage};
    if (why.kind == Kind::corrupt) loss_ = why.text;
    logger("raft")->error("consensus has ended error=\"{}\"", why.text);
    phase_ = Phase::ended;
    why_ = std::move(why);
    events_.ended(*why_);
}

void Life::end_removed(Error why) {
    if (over()) return;
    removed_ = true;
    end(std::move(why));
}

bool Life::stop() {
    return !std::exchange(stopping_, true);
}

bool Life::hinder(std::string why) {
    // What the peers asked answer may change from round to round: that it begins or ends is news.
    const bool news = why.empty() != hindrance_.empty();
    if (news) hindrance_ = std::move(why);
    return news;
}

Result<> Life::check() const {
    if (stopping_) return fail(Kind::shutting_down, "consensus is closing");
    if (why_) return fail(*why_);
    return ok();
}

}  // namespace ipfscluster::raft
