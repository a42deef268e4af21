#include "cluster/repin_worker.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "cluster/walk.hpp"

namespace ipfscluster::cluster {

namespace {
/// How often the members' liveness is looked at, at most.
constexpr Duration kLookInterval = std::chrono::seconds(1);
/// Pins that could not be moved and are named in the log, per walk.
constexpr std::size_t kFailuresLoggedMax = 10;
}  // namespace

RepinWorker::RepinWorker(const ClusterParts& parts, const ClusterOptions& options, Pinner& pinner)
    : parts_(parts), options_(options), pinner_(pinner) {}

std::vector<PeerId> RepinWorker::overdue(const std::vector<PeerId>& members) {
    const auto now = parts_.world.steady_now();
    const std::set<PeerId> member_set(members.begin(), members.end());
    std::erase_if(dead_since_, [&](const auto& e) { return !member_set.contains(e.first); });
    std::vector<PeerId> out;
    for (const auto& peer : members) {
        if (parts_.monitor.alive(peer)) {
            dead_since_.erase(peer);
            continue;
        }
        const auto since = dead_since_.emplace(peer, now).first->second;
        if (now - since >= options_.repin_grace) out.push_back(peer);
    }
    return out;
}

RepinSchedule::View RepinWorker::look() {
    const auto members = parts_.consensus.peers();
    RepinSchedule::View view;
    view.acting =
        parts_.consensus.is_coordinator() && !options_.disable_repinning && !options_.follower;
    view.members = {members.begin(), members.end()};
    for (const auto& peer : members)
        if (parts_.monitor.alive(peer)) view.alive.insert(peer);
    view.overdue = overdue(members);
    return view;
}

asio::awaitable<void> RepinWorker::run() {
    auto& world = parts_.world;
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
    for (const auto& peer : dead)
        logger("cluster")->info("re-pinning what a dead peer held peer={}", peer.to_string());
    const auto pause =
        Duration(std::chrono::seconds(1)) / static_cast<std::int64_t>(options_.repin_rate);
    const auto members = parts_.consensus.peers();
    const std::set<PeerId> member_set(members.begin(), members.end());
    std::size_t moved = 0, failed = 0, seen = 0;
    bool skipped = false;
    auto pins = parts_.state.list();
    while (true) {
        ICL_CO_TRY(auto row, co_await pins->next());
        if (!row) break;
        if (++seen % kWalkYieldRows == 0)
            co_await asio::post(parts_.world.executor(), asio::use_awaitable);
        // The row is as old as the walk: it tells where to look, not what to do.
        if (!needs_repin(row->pin, dead, member_set)) continue;
        if (!parts_.consensus.is_coordinator())
            co_return fail(Kind::conflict, "another peer is the coordinator now");
        auto done = co_await pinner_.repin(row->pin.cid, dead);
        if (!done && done.error().kind == Kind::cancelled) co_return fail(done.error());
        skipped = skipped || (done && done.value() == Repin::holder_back);
        if (done && done.value() != Repin::moved) continue;
        if (done) {
            ++moved;
            logger("cluster")->debug("re-pinned cid={}", row->pin.cid.to_string());
        } else if (++failed <= kFailuresLoggedMax) {
            logger("cluster")->warn("a pin could not be given new peers cid={} error=\"{}\"",
                                    row->pin.cid.to_string(), done.error().text);
        }
        auto slept = co_await parts_.world.sleep_for(pause);
        if (!slept) co_return fail(slept.error());
    }
    logger("cluster")->info("re-pinning walked the pinset moved={} failed={} seen={}", moved,
                            failed, seen);
    co_return RepinSchedule::Walk{.moved = moved > 0, .left = failed > 0 || skipped};
}

}  // namespace ipfscluster::cluster
