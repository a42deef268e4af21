#include "cluster/drain_survey.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/log.hpp"
#include "cluster/walk.hpp"
#include "runtime/join.hpp"
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
    : parts_(parts), pinner_(pinner), questions_(std::move(questions)), held_(parts.world) {}

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

Async<DrainReport> DrainSurvey::count(PeerId peer, component::Cordon cordon) {
    DrainReport report;
    report.peer = peer;
    report.kind = to_string(cordon.kind);
    report.since = cordon.since;
    report.everything = cordon.everything;
    const bool own = peer == parts_.host.id();
    report.alive = own || parts_.monitor.alive(peer);
    Obstacles seen;
    if (cordon.moves_pins()) {
        seen.overdue = questions_.overdue();
        seen.alive = report.alive;
        for (const auto& other : parts_.members.known())
            seen.outside = seen.outside || (other != peer && parts_.monitor.alive(other) &&
                                            questions_.outside(other));
    }
    std::size_t read = 0;
    auto pins = parts_.state.list();
    while (true) {
        ICL_CO_TRY(auto row, co_await pins->next());
        if (!row) co_return report;
        if (++read % kWalkYieldRows == 0)
            co_await asio::post(parts_.world.executor(), asio::use_awaitable);
        if (row->pin.everywhere() && row->pin.type != PinType::meta) ++report.everywhere;
        // What is kept for others counts as such.
        if (own && parts_.state.holding().leaves_later(row->pin)) ++report.pins;
        if (!held_by_name(row->pin, peer)) continue;
        ++report.pins;
        if (!cordon.moves_pins()) continue;
        auto reason = obstacle(row->pin, peer, seen);
        if (reason && ++report.blocked <= kStuckItemsMax)
            report.stuck.push_back({row->pin.cid, std::move(*reason)});
    }
}

Async<DrainReport> DrainSurvey::count_paced(PeerId peer, component::Cordon cordon) {
    std::erase_if(counts_, [&](const auto& watched) {
        return watched.first != peer && !parts_.members.cordon(watched.first).takes_no_pins();
    });
    auto& watched = counts_[peer];
    // Another word is another question.
    if (!watched.counts || watched.cordon != cordon)
        watched = {cordon, std::make_shared<Paced<DrainReport>>(parts_.world)};
    const auto counts = watched.counts;
    // Named: g++ 12 destroys a temporary of an awaiting expression twice.
    std::function<Async<DrainReport>()> walk = [this, peer, cordon] { return count(peer, cordon); };
    auto counted = co_await counts->get(std::move(walk));
    co_return counted;
}

Async<std::uint64_t> DrainSurvey::count_pins(PeerId peer) {
    const auto cordon = parts_.members.cordon(peer);
    ICL_CO_TRY(const auto counted, co_await count_paced(std::move(peer), cordon));
    co_return counted.pins;
}

Async<DrainReport> DrainSurvey::report(PeerId peer, component::Cordon cordon) {
    ICL_CO_TRY(auto counted, co_await count(std::move(peer), cordon));
    auto completed = co_await complete(std::move(counted), cordon);
    co_return completed;
}

Async<DrainReport> DrainSurvey::progress(PeerId peer) {
    const auto cordon = parts_.members.cordon(peer);
    ICL_CO_TRY(auto counted, co_await count_paced(std::move(peer), cordon));
    auto completed = co_await complete(std::move(counted), cordon);
    co_return completed;
}

Async<DrainReport> DrainSurvey::complete(DrainReport report, component::Cordon cordon) {
    if (!report.alive) co_return report;
    const auto& peer = report.peer;
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
    if (cordon.everything && !held.value().everything) report.pins += report.everywhere;
    report.kept = held.value().kept;
    if (cordon.takes_no_pins() && cordon == parts_.members.cordon(peer))
        report.moved = held.value().moved;
    if (held.value().stored_bytes > 0) report.bytes = held.value().stored_bytes;
    if (cordon.moves_pins() || cordon.everything) {
        ICL_CO_TRY(co_await add_waiting(&report, std::move(held.value())));
    }
    co_return report;
}

asio::awaitable<void> DrainSurvey::explain(PeerId keeper, StuckItem* item) {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto said = co_await questions_.status(item->cid);
    if (said)
        item->reason = waiting_reason(said.value(), keeper);
    else if (said.error().kind != Kind::cancelled)
        item->reason = said.error().text;
}

Async<> DrainSurvey::add_waiting(DrainReport* report, HeldHere held) {
    co_await asio::this_coro::throw_if_cancelled(false);
    report->waiting = held.waiting;
    auto& cids = held.waiting_items;
    const auto room = kStuckItemsMax - std::min(report->stuck.size(), kStuckItemsMax);
    if (cids.size() > room) cids.resize(room);
    std::vector<StuckItem> items;
    for (auto& cid : cids)
        items.push_back({std::move(cid), "those that are to hold it do not answer in time"});
    TaskGroup tasks(parts_.world, "stuck items");
    for (auto& item : items) tasks.spawn(explain(report->peer, &item));
    auto drained =
        co_await with_deadline<void>(parts_.world, kExplainLimit, "stuck items", tasks.drain());
    co_await join(tasks);
    if (!drained && drained.error().kind != Kind::timeout) co_return drained;
    std::move(items.begin(), items.end(), std::back_inserter(report->stuck));
    co_return ok();
}

Async<HeldHere> DrainSurvey::held_here() {
    std::function<Async<HeldHere>()> walk = [this] { return count_held(); };
    ICL_CO_TRY(auto held, co_await held_.get(std::move(walk)));
    // Good to know, not worth to wait for: a daemon with a large or sick store takes minutes.
    auto stat = co_await with_deadline(parts_.world, kSizeLimit, "the size of the store",
                                       parts_.ipfs.repo_stat());
    if (!stat && stat.error().kind == Kind::cancelled) co_return fail(stat.error());
    if (stat) held.stored_bytes = stat.value().repo_size;
    co_return held;
}

Async<HeldHere> DrainSurvey::count_held() {
    HeldHere held;
    held.everything = parts_.state.holding().told().leaves_everywhere;
    held.moved = parts_.state.holding().moved();
    // First what is to move: whatever moves in between is kept before it is counted.
    ICL_CO_TRY(const auto counted, co_await count(parts_.host.id(), {}));
    held.pins = counted.pins;
    const auto now = parts_.world.system_now();
    state::KeptRows rows(parts_.store);
    while (true) {
        ICL_CO_TRY(auto row, rows.next());
        if (!row) co_return held;
        if (++held.kept % kWalkYieldRows == 0)
            co_await asio::post(parts_.world.executor(), asio::use_awaitable);
        if (now - row->since < kKeptLong) continue;
        if (++held.waiting <= kStuckItemsMax) held.waiting_items.push_back(std::move(row->cid));
    }
}

}  // namespace ipfscluster::cluster
