#include "cluster/repin_worker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "base/text.hpp"
#include "cluster/life_question.hpp"
#include "cluster/walk.hpp"

namespace ipfscluster::cluster {

using component::Standing;

namespace {
/// How often the members' liveness is looked at, at most.
constexpr Duration kLookInterval = std::chrono::seconds(1);
/// Pins that could not be moved and are named in the log, per walk.
constexpr std::size_t kFailuresLoggedMax = 10;

/// Holders remembered in a walk.
constexpr std::size_t kHoldersSeenMax = 4096;

/// What each holder is, asked once per walk.
class Standings {
 public:
    explicit Standings(component::Membership& members) : members_(members) {}

    Standing of(const PeerId& peer) {
        if (const auto at = seen_.find(peer); at != seen_.end()) return at->second;
        const auto standing = members_.standing(peer);
        if (seen_.size() < kHoldersSeenMax) seen_.emplace(peer, standing);
        return standing;
    }
    std::set<PeerId> unknown() const {
        std::set<PeerId> out;
        for (const auto& [peer, standing] : seen_)
            if (standing == Standing::unknown && out.size() < kUnknownHoldersMax) out.insert(peer);
        return out;
    }

 private:
    component::Membership& members_;
    std::map<PeerId, Standing> seen_;
};
}  // namespace

RepinWorker::RepinWorker(const ClusterParts& parts, const ClusterOptions& options, Pinner& pinner,
                         Questions questions)
    : parts_(parts),
      options_(options),
      pinner_(pinner),
      questions_(std::move(questions)),
      watch_(options.repin_grace) {}

RepinSchedule::View RepinWorker::look() {
    const auto known = parts_.members.known();
    const std::set<PeerId> members(known.begin(), known.end());
    std::erase_if(unknown_holders_, [&](const PeerId& peer) {
        return parts_.members.standing(peer) != Standing::unknown;
    });
    RepinSchedule::View view;
    view.acting = parts_.duty.may_act() && !options_.disable_repinning && !options_.follower;
    view.members = members;
    view.members.insert(unknown_holders_.begin(), unknown_holders_.end());
    for (const auto& peer : view.members)
        if (parts_.monitor.alive(peer)) view.alive.insert(peer);
    const auto now = parts_.world.steady_now();
    watch_.look({members, view.alive, unknown_holders_}, now);
    view.overdue = watch_.suspects(now);
    if (view.acting != acting_ ||
        !std::includes(members.begin(), members.end(), members_.begin(), members_.end()))
        left_since_ = now;
    acting_ = view.acting;
    members_ = members;
    view.moving = read_cordons(parts_.members, [&](const PeerId& peer) {
                      return view.alive.contains(peer) || contains(view.overdue, peer);
                  }).moving;
    return view;
}

std::vector<PeerId> RepinWorker::Cause::all() const {
    auto out = dead;
    for (const auto& peer : moving)
        if (!contains(dead, peer)) out.push_back(peer);
    return out;
}

std::vector<PeerId> RepinWorker::gone(const Cause& cause) {
    auto out = cause.dead;
    for (const auto& peer : cause.moving)
        if (!contains(out, peer) && !parts_.monitor.alive(peer) &&
            parts_.members.cordon(peer).kind == component::Cordon::Kind::leaving)
            out.push_back(peer);
    return out;
}

asio::awaitable<void> RepinWorker::run() {
    auto& world = parts_.world;
    while (true) {
        auto slept = co_await world.sleep_for(kLookInterval);
        if (!slept) co_return;
        const auto view = look();
        if (!schedule_.look(view, world.steady_now())) continue;
        auto dead = co_await confirm(view);
        if (!dead) co_return;
        if (!dead.value()) {
            const Cause cause{.dead = view.overdue, .moving = view.moving};
            schedule_.walked(cause.all(), {.left = true}, world.steady_now());
            continue;
        }
        Cause cause{.dead = std::move(*dead.value()), .moving = view.moving};
        // What called for the walk may be gone: the next look tells.
        if (cause.all().empty() && !view.overdue.empty()) continue;
        const auto walked_for = cause.all();
        auto walked = co_await walk(std::move(cause));
        if (!walked && walked.error().kind == Kind::cancelled) co_return;
        if (!walked)
            logger("cluster")->warn("re-pinning was interrupted error=\"{}\"", walked.error().text);
        const auto came_of_it = walked ? walked.value() : RepinSchedule::Walk{.left = true};
        schedule_.walked(walked_for, came_of_it, world.steady_now());
    }
}

Async<std::optional<std::vector<PeerId>>> RepinWorker::confirm(RepinSchedule::View view) {
    ICL_CO_TRY(auto answered, co_await who_answers(parts_.world, parts_.peers, watch_.silent()));
    const auto now = parts_.world.steady_now();
    auto seen = view.alive;
    for (const auto& peer : answered) {
        watch_.answered(peer, now);
        seen.insert(peer);
        std::erase(view.overdue, peer);
        logger("cluster")->info("a peer whose pings are missing answers peer={}", peer.to_string());
    }
    if (!may_walk(seen)) co_return std::optional<std::vector<PeerId>>{};
    auto dead = watch_.dead(view.overdue, now);
    if (const auto news = watch_.take_news())
        tell(fmt::format(
            "{} of {} members fell silent within {}: their pins stay where they are for another "
            "{}; of a peer that does not come back `ipfs-cluster-ctl peers rm <peer id>` moves "
            "them at once",
            news->vanished, news->members, format_go_duration(options_.repin_grace),
            format_go_duration(std::chrono::round<std::chrono::seconds>(news->left))));
    co_return std::optional<std::vector<PeerId>>(std::move(dead));
}

bool RepinWorker::may_walk(const std::set<PeerId>& seen) {
    const auto voters = parts_.members.voters();
    if (majority_seen(voters, seen)) {
        no_majority_since_.reset();
        told_no_majority_ = false;
        return true;
    }
    const auto now = parts_.world.steady_now();
    if (!no_majority_since_) no_majority_since_ = now;
    if (now - *no_majority_since_ >= options_.repin_grace &&
        !std::exchange(told_no_majority_, true))
        tell(
            fmt::format("no pins are moved: of {} voting members fewer than a majority give a "
                        "sign of life to this peer, whose task it is",
                        voters.size()));
    return false;
}

void RepinWorker::tell(std::string text) {
    Metric about;
    about.name = "repin";
    about.peer = parts_.host.id();
    about.value = std::move(text);
    parts_.monitor.raise(std::move(about));
}

Async<std::vector<PeerId>> RepinWorker::barred_from(Pin pin, std::vector<PeerId> dead) {
    std::vector<PeerId> barred;
    const PeerTest left = [this](const PeerId& peer) {
        return parts_.members.standing(peer) == Standing::left;
    };
    if (!all_holders_dead(pin, dead, left)) co_return barred;
    for (const auto& peer : parts_.members.known())
        if (!questions_.outside(peer)) barred.push_back(peer);
    if (barred.empty()) co_return barred;
    ICL_CO_TRY(auto said, co_await questions_.status(pin.cid));
    if (copy_lives(said)) barred.clear();
    co_return barred;
}

bool RepinWorker::others_wait(const RepinSchedule::View& began) {
    const auto now = look();
    return std::any_of(now.overdue.begin(), now.overdue.end(),
                       [&](const PeerId& peer) { return !contains(began.overdue, peer); }) ||
           std::any_of(now.moving.begin(), now.moving.end(),
                       [&](const PeerId& peer) { return !began.moving.contains(peer); });
}

void RepinWorker::note_lost(const std::vector<PeerId>& lost) {
    std::erase_if(lost_since_, [&](const auto& e) { return !contains(lost, e.first); });
    for (const auto& peer : lost) lost_since_.emplace(peer, parts_.world.steady_now());
}

bool RepinWorker::is_our_turn(const Pin& pin) {
    const auto rank = parts_.duty.rank(pin.cid);
    if (!rank) return false;
    if (*rank == 0) return true;
    // It is in need since the last of its holders was lost.
    std::optional<SteadyTime> since;
    for (const auto& peer : pin.allocations)
        if (const auto lost = lost_since_.find(peer); lost != lost_since_.end())
            since = std::max(since.value_or(lost->second), lost->second);
    const Duration passed = parts_.world.steady_now() - since.value_or(left_since_);
    return passed >= static_cast<std::int64_t>(*rank) * options_.duty_delay;
}

Async<RepinSchedule::Walk> RepinWorker::walk(Cause cause) {
    for (const auto& peer : cause.dead)
        logger("cluster")->info("re-pinning what a dead peer held peer={}", peer.to_string());
    for (const auto& peer : cause.moving)
        logger("cluster")->info("moving the pins of a peer peer={}", peer.to_string());
    const auto pause =
        Duration(std::chrono::seconds(1)) / static_cast<std::int64_t>(options_.repin_rate);
    note_lost(cause.all());
    Standings standings(parts_.members);
    const PeerTest goes = [&standings, &cause](const PeerId& peer) {
        return cause.moving.contains(peer) || standings.of(peer) == Standing::left;
    };
    const auto began = look();
    std::size_t moved = 0, failed = 0, stay = 0, seen = 0;
    bool skipped = false;
    auto pins = parts_.state.list();
    while (true) {
        ICL_CO_TRY(auto row, co_await pins->next());
        if (!row) break;
        if (++seen % kWalkYieldRows == 0) {
            co_await asio::post(parts_.world.executor(), asio::use_awaitable);
            // A walk may take hours: silences go on being watched, and whoever falls silent or is
            // to be drained meanwhile does not wait for its end.
            if (others_wait(began)) {
                skipped = true;
                break;
            }
        }
        // The row is as old as the walk: it tells where to look, not what to do.
        if (!needs_repin(row->pin, cause.dead, goes)) continue;
        if (!parts_.duty.may_act())
            co_return fail(Kind::conflict, "it is not this peer's task any more");
        if (!is_our_turn(row->pin)) {
            skipped = true;
            continue;
        }
        const auto absent = gone(cause);
        ICL_CO_TRY(auto barred, co_await barred_from(row->pin, absent));
        auto done = co_await pinner_.repin(row->pin.cid, absent, std::move(barred));
        if (!done && done.error().kind == Kind::cancelled) co_return fail(done.error());
        const bool stranded = done && done.value() == Repin::no_source;
        stay += stranded ? 1 : 0;
        skipped = skipped || stranded || (done && done.value() == Repin::holder_back);
        if (done && done.value() != Repin::moved && !stranded) continue;
        if (stranded) {
            logger("cluster")->debug("nobody who is here has it or could fetch it cid={}",
                                     row->pin.cid.to_string());
            continue;
        }
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
    unknown_holders_ = standings.unknown();
    logger("cluster")->info(
        "re-pinning walked the pinset moved={} failed={} without_source={} seen={}", moved, failed,
        stay, seen);
    co_return RepinSchedule::Walk{.moved = moved > 0, .left = failed > 0 || skipped};
}

}  // namespace ipfscluster::cluster
