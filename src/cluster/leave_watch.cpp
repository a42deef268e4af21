#include "cluster/leave_watch.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.hpp"

namespace ipfscluster::cluster {

using component::Cordon;

namespace {
/// Pause between two looks; longer where a look takes long.
constexpr Duration kLookPause = std::chrono::seconds(2);
constexpr int kLookShare = 4;
/// Between two looks at a member that is empty and stays.
constexpr SteadyTime::duration kRestPause = std::chrono::minutes(1);
}  // namespace

LeaveWatch::LeaveWatch(const ClusterParts& parts, const ClusterOptions& options,
                       DrainSurvey& survey, Statuses statuses)
    : parts_(parts), options_(options), survey_(survey), statuses_(std::move(statuses)) {}

asio::awaitable<void> LeaveWatch::run() {
    auto& world = parts_.world;
    while (true) {
        const auto began = world.steady_now();
        auto looked = co_await look();
        if (!looked && looked.error().kind == Kind::cancelled) co_return;
        if (!looked)
            logger("cluster")->warn("looking after members that leave failed error=\"{}\"",
                                    looked.error().text);
        const Duration took = world.steady_now() - began;
        auto slept = co_await world.sleep_for(std::max(kLookPause, kLookShare * took));
        if (!slept) co_return;
    }
}

Async<> LeaveWatch::look() {
    const auto members = parts_.members.known();
    std::erase_if(
        moves_, [&](const auto& move) { return !parts_.members.cordon(move.first).moves_pins(); });
    for (const auto& peer : members) {
        if (!parts_.duty.may_act() || options_.follower) {
            moves_.clear();
            co_return ok();
        }
        const auto cordon = parts_.members.cordon(peer);
        if (!cordon.moves_pins()) continue;
        if (const auto move = moves_.find(peer);
            move != moves_.end() && cordon.kind == Cordon::Kind::draining &&
            move->second.cordoned == cordon.since && parts_.world.steady_now() < move->second.next)
            continue;
        auto looked = co_await look_at(peer, cordon);
        if (!looked && looked.error().kind == Kind::cancelled) co_return looked;
        if (!looked)
            logger("cluster")->warn(
                "a member that is emptied could not be looked at peer={} "
                "error=\"{}\"",
                peer.to_string(), looked.error().text);
    }
    co_return ok();
}

Async<> LeaveWatch::look_at(PeerId peer, Cordon cordon) {
    ICL_CO_TRY(auto report, co_await survey_.report(peer, cordon));
    std::string hindrance;
    if (report.left() == 0 && cordon.kind == Cordon::Kind::leaving) {
        ICL_CO_TRY(hindrance, co_await try_remove(peer, report));
    }
    note(report, std::move(hindrance));
    co_return ok();
}

Async<std::string> LeaveWatch::try_remove(PeerId peer, DrainReport report) {
    if (report.alive && !report.kept) co_return std::string("it does not say what it keeps");
    ICL_CO_TRY(const auto lack, co_await count_lack(peer, !report.alive));
    if (lack.items > 0)
        co_return fmt::format("{} items have not their minimum elsewhere, for example {}",
                              lack.items, lack.example.to_string());
    // Who was drained may have been told to stay meanwhile.
    if (parts_.members.cordon(peer).kind != Cordon::Kind::leaving) co_return std::string();
    logger("cluster")->info("a peer leaves: its copies are elsewhere peer={}", peer.to_string());
    ICL_CO_TRY(co_await parts_.members.remove_peer(peer));
    co_return std::string();
}

Async<RemovalLoss> LeaveWatch::count_lack(PeerId peer, bool silent) {
    const auto listed = parts_.members.known();
    auto counted = co_await count_removal_lack(parts_.world, parts_.state, statuses_(), peer,
                                               who_stays(parts_.members, listed), silent);
    if (!counted)
        co_return fail(counted.error().in("whether others have the copies of peer " +
                                          peer.to_string() + " is not known"));
    // Who was counted on may have been removed meanwhile.
    if (parts_.members.known() != listed)
        co_return fail(Kind::conflict, "the members change meanwhile");
    co_return counted;
}

void LeaveWatch::note(const DrainReport& report, std::string hindrance) {
    const auto now = parts_.world.steady_now();
    auto& move = moves_[report.peer];
    const bool other = move.cordoned != report.since || move.since == SteadyTime{};
    // Of a peer that was away nobody knew what it keeps.
    const bool tells = report.kept.has_value() && !move.kept_known;
    if (other || tells)
        move = Progress{.cordoned = report.since,
                        .left = report.left(),
                        .since = now,
                        .kept_known = report.kept.has_value(),
                        .told = move.told && !other};
    const bool rests = report.left() == 0 && hindrance.empty();
    if (report.left() < move.left || rests) {
        move.left = report.left();
        move.since = now;
        if (rests) move.next = now + kRestPause;
        return;
    }
    if (move.told || now - move.since < options_.repin_grace) return;
    move.told = true;
    if (hindrance.empty())
        hindrance = fmt::format("{} pins and {} copies wait", report.pins,
                                report.kept ? std::to_string(*report.kept) : "unknown");
    if (!report.stuck.empty())
        hindrance += fmt::format(", for example {}: {}", report.stuck.front().cid.to_string(),
                                 report.stuck.front().reason);
    Metric about;
    about.name = "drain";
    about.peer = report.peer;
    about.value = fmt::format("{}, and it does not go on: {}", report.kind, hindrance);
    parts_.monitor.raise(std::move(about));
}

}  // namespace ipfscluster::cluster
