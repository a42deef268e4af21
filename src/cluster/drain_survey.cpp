#include "cluster/drain_survey.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/log.hpp"
#include "cluster/walk.hpp"
#include "runtime/task_group.hpp"
#include "state/kept.hpp"

namespace ipfscluster::cluster {

namespace {

/// Different combinations of factors and holders that are remembered in one survey.
constexpr std::size_t kCasesMax = 4096;
/// For what the IPFS side stores in all.
constexpr Duration kSizeLimit = std::chrono::seconds(2);

bool held_by_name(const Pin& pin, const PeerId& peer) {
    return !pin.everywhere() && pin.type != PinType::meta && pin.allocated_to(peer);
}

/// Why the holders of an item that is kept for them do not have it.
std::string waiting_reason(const GlobalPinInfo& said, const PeerId& keeper) {
    std::string reason;
    if (const auto own = said.peer_map.find(keeper); own != said.peer_map.end())
        reason = own->second.error;
    for (const auto& [peer, info] : said.peer_map) {
        const bool holder = std::find(said.allocations.begin(), said.allocations.end(), peer) !=
                            said.allocations.end();
        if (!holder || info.status == TrackerStatus::pinned || info.error.empty()) continue;
        reason += (reason.empty() ? "" : "; ") +
                  (info.peername.empty() ? peer.to_string() : info.peername) + ": " + info.error;
    }
    return reason.empty() ? "the new holders do not have it yet" : reason;
}

}  // namespace

DrainSurvey::DrainSurvey(const ClusterParts& parts, Pinner& pinner, Questions questions)
    : parts_(parts), pinner_(pinner), questions_(std::move(questions)) {}

std::optional<std::string> DrainSurvey::find_obstacle(const Pin& pin, const PeerId& from,
                                                      const Obstacles& seen) {
    if (auto could = pinner_.could_move(pin, from, seen.overdue); !could) return could.error().text;
    if (seen.alive || seen.outside) return std::nullopt;
    const bool held =
        std::any_of(pin.allocations.begin(), pin.allocations.end(),
                    [&](const PeerId& peer) { return peer != from && parts_.monitor.alive(peer); });
    if (held) return std::nullopt;
    return "nobody who is here has it or could fetch it: it waits for this peer";
}

std::optional<std::string> DrainSurvey::obstacle(const Pin& pin, const PeerId& from,
                                                 Obstacles& seen) {
    Case its{pin.options.replication_min, pin.options.replication_max, pin.allocations};
    std::sort(std::get<2>(its).begin(), std::get<2>(its).end());
    if (const auto found = seen.known.find(its); found != seen.known.end()) return found->second;
    auto reason = find_obstacle(pin, from, seen);
    if (seen.known.size() < kCasesMax) seen.known.emplace(std::move(its), reason);
    return reason;
}

Async<> DrainSurvey::count(DrainReport* report, bool moves) {
    Obstacles seen;
    if (moves) {
        seen.overdue = questions_.overdue();
        seen.alive = report->alive;
        for (const auto& peer : parts_.members.known())
            seen.outside = seen.outside || (peer != report->peer && parts_.monitor.alive(peer) &&
                                            questions_.outside(peer));
    }
    std::size_t read = 0;
    auto pins = parts_.state.list();
    while (true) {
        ICL_CO_TRY(auto row, co_await pins->next());
        if (!row) co_return ok();
        if (++read % kWalkYieldRows == 0)
            co_await asio::post(parts_.world.executor(), asio::use_awaitable);
        if (row->pin.everywhere() && row->pin.type != PinType::meta) ++report->everywhere;
        if (!held_by_name(row->pin, report->peer)) continue;
        ++report->pins;
        if (!moves) continue;
        auto reason = obstacle(row->pin, report->peer, seen);
        if (reason && ++report->blocked <= kStuckItemsMax)
            report->stuck.push_back({row->pin.cid, std::move(*reason)});
    }
}

Async<std::uint64_t> DrainSurvey::count_pins(PeerId peer) {
    DrainReport report;
    report.peer = std::move(peer);
    ICL_CO_TRY(co_await count(&report, false));
    co_return report.pins;
}

Async<DrainReport> DrainSurvey::report(PeerId peer, component::Cordon cordon) {
    DrainReport report;
    report.peer = peer;
    report.kind = to_string(cordon.kind);
    report.since = cordon.since;
    report.everything = cordon.everything;
    report.alive = peer == parts_.host.id() || parts_.monitor.alive(peer);
    ICL_CO_TRY(co_await count(&report, cordon.moves_pins()));
    if (!report.alive) co_return report;
    auto asked = peer == parts_.host.id() ? held_here() : parts_.peers.held_here(peer);
    auto held = co_await std::move(asked);
    if (!held && held.error().kind == Kind::cancelled) co_return fail(held.error());
    if (!held) {
        logger("cluster")->debug("a member does not say what it keeps peer={} error=\"{}\"",
                                 peer.to_string(), held.error().text);
        co_return report;
    }
    // It may be behind this peer: then it does not keep yet what it will.
    report.pins = std::max(report.pins, held.value().pins);
    report.kept = held.value().kept;
    if (held.value().stored_bytes > 0) report.bytes = held.value().stored_bytes;
    if (cordon.moves_pins()) {
        ICL_CO_TRY(co_await add_waiting(&report, std::move(held.value())));
    }
    co_return report;
}

Async<> DrainSurvey::add_waiting(DrainReport* report, HeldHere held) {
    report->waiting = held.waiting;
    for (const auto& cid : held.waiting_items) {
        if (report->stuck.size() >= kStuckItemsMax) break;
        auto said = co_await questions_.status(cid);
        if (!said && said.error().kind == Kind::cancelled) co_return fail(said.error());
        report->stuck.push_back(
            {cid, said ? waiting_reason(said.value(), report->peer) : said.error().text});
    }
    co_return ok();
}

Async<HeldHere> DrainSurvey::held_here() {
    HeldHere held;
    // First what is to move: whatever moves in between is kept before it is counted.
    ICL_CO_TRY(held.pins, co_await count_pins(parts_.host.id()));
    const auto now = parts_.world.system_now();
    state::KeptRows rows(parts_.store);
    while (true) {
        ICL_CO_TRY(auto row, rows.next());
        if (!row) break;
        if (++held.kept % kWalkYieldRows == 0)
            co_await asio::post(parts_.world.executor(), asio::use_awaitable);
        if (now - row->since < kKeptLong) continue;
        if (++held.waiting <= kStuckItemsMax) held.waiting_items.push_back(std::move(row->cid));
    }
    // Good to know, not worth to wait for: a daemon with a large or sick store takes minutes.
    auto stat = co_await with_deadline(parts_.world, kSizeLimit, "the size of the store",
                                       parts_.ipfs.repo_stat());
    if (!stat && stat.error().kind == Kind::cancelled) co_return fail(stat.error());
    if (stat) held.stored_bytes = stat.value().repo_size;
    co_return held;
}

}  // namespace ipfscluster::cluster
