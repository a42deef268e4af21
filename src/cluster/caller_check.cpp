#include "cluster/caller_check.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "runtime/task_group.hpp"

namespace ipfscluster::cluster {

namespace {

Error cannot_tell(const Error& unsure, const std::string& cause) {
    return {Kind::retryable, unsure.text + ", as far as is known here: " + cause};
}

}  // namespace

bool CallerCheck::Told::names(const PeerId& peer) const {
    return contains(members, peer);
}

Async<> CallerCheck::ask() {
    if (last_asked_) {
        const auto pause = *last_asked_ + kCallerPause - world_.steady_now();
        ICL_CO_TRY(co_await world_.sleep_for(std::max<Duration>(pause, Duration(0))));
    }
    const auto informed = members_.best_informed();
    if (informed.empty()) co_return fail(Kind::unavailable, "no member is known that can tell");
    const auto now = world_.steady_now();
    last_asked_ = now;
    ICL_CO_TRY(auto said, co_await peers_.id(informed));
    told_ = {now, std::move(said.cluster_peers)};
    co_return ok();
}

Async<> CallerCheck::confirm(PeerId caller, Error unsure) {
    // Ends the turn of whoever asks, however it ends.
    struct Turn {
        CallerCheck& check;
        const bool mine = !std::exchange(check.asking_, true);
        ~Turn() {
            if (!mine) return;
            check.asking_ = false;
            check.asked_.notify_all();
        }
    };
    const auto came = world_.steady_now();
    if (told_ && came - told_->as_of < kCallerKnown && told_->names(caller)) co_return ok();
    while (!told_ || told_->as_of < came) {
        const auto left = came + kCallerLimit - world_.steady_now();
        if (left <= left.zero()) co_return fail(cannot_tell(unsure, "no member answered in time"));
        const Turn turn{*this};
        auto work = turn.mine ? ask() : asked_.wait();
        auto heard = co_await with_deadline<void>(world_, left, "asking a member", std::move(work));
        if (!heard && heard.error().kind == Kind::cancelled) co_return fail(heard.error());
        if (!heard) co_return fail(cannot_tell(unsure, heard.error().text));
    }
    if (told_->names(caller)) co_return ok();
    co_return fail(Kind::denied, std::move(unsure.text));
}

}  // namespace ipfscluster::cluster
