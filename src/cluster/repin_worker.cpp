#include "cluster/repin_worker.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "cluster/cluster.hpp"

namespace ipfscluster::cluster {

namespace {
/// How often the members' liveness is looked at, at most.
constexpr Duration kLookInterval = std::chrono::seconds(1);
/// Pins that could not be moved and are named in the log, per walk.
constexpr std::size_t kFailuresLoggedMax = 10;
}  // namespace

RepinWorker::RepinWorker(Cluster& cluster) : cluster_(cluster) {}

std::vector<PeerId> RepinWorker::overdue(const std::vector<PeerId>& members) {
    auto& parts = cluster_.parts_;
    const auto now = parts.world.steady_now();
    const std::set<PeerId> member_set(members.begin(), members.end());
    std::erase_if(dead_since_, [&](const auto& e) { return !member_set.contains(e.first); });
    std::vector<PeerId> out;
    for (const auto& peer : members) {
        if (parts.monitor.alive(peer)) {
            dead_since_.erase(peer);
            continue;
        }
        const auto since = dead_since_.emplace(peer, now).first->second;
        if (now - since >= cluster_.options_.repin_grace) out.push_back(peer);
    }
    return out;
}

RepinSchedule::View RepinWorker::look() {
    auto& parts = cluster_.parts_;
    const auto members = parts.consensus.peers();
    RepinSchedule::View view;
    view.acting = parts.consensus.is_coordinator() && !cluster_.options_.disable_repinning &&
                  !cluster_.options_.follower;
    view.members = {members.begin(), members.end()};
    for (const auto& peer : members)
        if (parts.monitor.alive(peer)) view.alive.insert(peer);
    view.overdue = overdue(members);
    return view;
}

asio::awaitable<void> RepinWorker::run() {
    auto& world = cluster_.parts_.world;
    while (true) {
        auto slept = co_await world.sleep_for(kLookInterval);
        if (!slept) co_return;
        const auto view = look();
        if (!schedule_.look(view, world.steady_now())) continue;
        auto walked = co_await walk(view.overdue);
        if (!walked && walked.error().kind == Kind::cancelled) co_return;
        if (!walked)
            logger("cluster")->warn("re-pinning was interrupted error=\"{}\"", walked.error().text);
        const auto came_of_it = walked ? walked.value() : RepinSchedule::Walk{.left = true};
        schedule_.walked(view.overdue, came_of_it, world.steady_now());
    }
}

Async<RepinSchedule::Walk> RepinWorker::walk(std::vector<PeerId> dead) {
    auto& parts = cluster_.parts_;
    for (const auto& peer : dead)
        logger("cluster")->info("re-pinning what a dead peer held peer={}", peer.to_string());
    const auto pause =
        Duration(std::chrono::seconds(1)) / static_cast<std::int64_t>(cluster_.options_.repin_rate);
    const auto members = parts.consensus.peers();
    const std::set<PeerId> member_set(members.begin(), members.end());
    std::size_t moved = 0, failed = 0, seen = 0;
    bool skipped = false;
    auto pins = parts.state.list();
    while (true) {
        ICL_CO_TRY(auto row, co_await pins->next());
        if (!row) break;
        if (++seen % kWalkYieldRows == 0)
            co_await asio::post(parts.world.executor(), asio::use_awaitable);
        // The row is as old as the walk: it tells where to look, not what to do.
        if (!needs_repin(row->pin, dead, member_set)) continue;
        if (!parts.consensus.is_coordinator())
            co_return fail(Kind::conflict, "another peer is the coordinator now");
        auto done = co_await repin_one(row->pin.cid, dead);
        if (!done && done.error().kind == Kind::cancelled) co_return fail(done.error());
        skipped = skipped || (done && done.value() == Outcome::holder_back);
        if (done && done.value() != Outcome::moved) continue;
        if (done) {
            ++moved;
            logger("cluster")->debug("re-pinned cid={}", row->pin.cid.to_string());
        } else if (++failed <= kFailuresLoggedMax) {
            logger("cluster")->warn("a pin could not be given new peers cid={} error=\"{}\"",
                                    row->pin.cid.to_string(), done.error().text);
        }
        auto slept = co_await parts.world.sleep_for(pause);
        if (!slept) co_return fail(slept.error());
    }
    logger("cluster")->info("re-pinning walked the pinset moved={} failed={} seen={}", moved,
                            failed, seen);
    co_return RepinSchedule::Walk{.moved = moved > 0, .left = failed > 0 || skipped};
}

Async<RepinWorker::Outcome> RepinWorker::repin_one(Cid cid, std::vector<PeerId> dead) {
    auto& parts = cluster_.parts_;
    for (int attempt = 1;; ++attempt) {
        ICL_CO_TRY(auto stored, parts.state.get(cid));
        // Unpinned meanwhile: a commit on "absent" would raise the dead.
        if (!stored) co_return Outcome::no_need;
        const auto back =
            std::erase_if(dead, [&](const PeerId& peer) { return parts.monitor.alive(peer); });
        const auto members = parts.consensus.peers();
        if (!needs_repin(stored->pin, dead, {members.begin(), members.end()}))
            co_return back > 0 ? Outcome::holder_back : Outcome::no_need;
        const auto now = parts.world.system_now();
        const auto expire_at = stored->pin.options.expire_at;
        if (expire_at != kTimeUnset && expire_at < now) co_return Outcome::no_need;  // it goes
        ICL_CO_TRY(auto planned,
                   plan_pin(repin_wish(stored->pin), stored, cluster_.options_.defaults, now));
        ICL_CO_TRY(cluster_.allocate(planned, stored->pin.allocations, dead));
        PinOperation operation{.kind = PinOperation::Kind::pin,
                               .pin = std::move(planned.pin),
                               .expected_index = planned.expected_index};
        auto committed = co_await parts.consensus.commit(std::move(operation));
        if (committed) co_return Outcome::moved;
        if (committed.error().kind != Kind::conflict || attempt == kPlanAttemptsMax)
            co_return fail(committed.error());
    }
}

}  // namespace ipfscluster::cluster
