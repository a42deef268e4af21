#include "tracker/reconciler.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/assert.hpp"
#include "base/log.hpp"
#include "tracker/daemon_list.hpp"
#include "tracker/facts_walk.hpp"

namespace ipfscluster::tracker {

using component::ReconcileReport;
using storage::Batch;

namespace {
auto log() {
    return logger("pintracker");
}
}  // namespace

Async<ReconcileReport> Reconciler::reconcile() {
    // The list of one that runs may have been read before what its caller wants to see has
    // happened.
    auto run = following_ ? following_ : std::make_shared<Run>(parts_.world.executor());
    if (running_)
        following_ = run;
    else if (!begin(run))
        co_return fail(Kind::shutting_down, "the pin tracker is stopping");
    while (!run->result) {
        auto woken = co_await run->ended.wait();
        if (!woken && !run->result) co_return fail(woken.error());
    }
    auto result = *run->result;
    co_return result;
}

/// The pins that wait may be held already, were never compared with a list, and are more than what
/// the last comparison cost: another one is cheaper than asking about each.
bool Reconciler::many_pins_wait() {
    if (parts_.queue.lines().size(Line::fresh) + parts_.queue.lines().size(Line::older) <
        kTrackerBatchMax / 2)
        return false;
    const auto added = parts_.pinset.work_added();
    const auto waiting = std::min(parts_.queue.size(), added - std::min(added, rows_compared_));
    if (waiting < std::max(kCompareFirstRows, compared_last_) || added < not_below_) return false;
    const auto next = parts_.queue.lines().first_untried();
    if (!next) return false;
    const auto pin = parts_.pinset.get(next->row.cid);
    return pin && pin.value() && may_be_held(next->row, *pin.value());
}

void Reconciler::compare_if_many_wait() {
    if (running_ || !many_pins_wait()) return;
    auto run = std::make_shared<Run>(parts_.world.executor());
    run->pins_wait = true;
    begin(std::move(run));
}

bool Reconciler::begin(RunPtr run) {
    // Before it begins: it may end at once.
    running_ = run;
    if (parts_.tasks.spawn(carry_out(std::move(run)))) return true;
    running_.reset();
    return false;
}

void Reconciler::end(const RunPtr& run, Result<ReconcileReport> result) {
    run->result.emplace(std::move(result));
    run->ended.notify_all();
}

/// A task of its own, so that it goes on for the others when one who asked goes away. It tells
/// its result to those who wait, begins the next one if somebody has asked for it meanwhile, and
/// wakes the scheduler, which may have held pins back.
asio::awaitable<void> Reconciler::carry_out(RunPtr run) {
    co_await asio::this_coro::throw_if_cancelled(false);
    const auto rows = parts_.pinset.work_added();
    auto report = co_await compare_all();
    note(*run, report, rows);
    ICL_ASSERT(running_ == run, "one comparison runs at a time");
    running_.reset();
    end(run, std::move(report));
    if (const auto next = std::exchange(following_, nullptr); next && !begin(next))
        end(next, fail(Kind::shutting_down, "the pin tracker is stopping"));
    parts_.wakeup.notify();
}

void Reconciler::note(const Run& run, const Result<ReconcileReport>& report,
                      std::uint64_t rows_before) {
    if (report) {
        const auto& r = report.value();
        rows_compared_ = std::max(rows_compared_, rows_before);
        compared_last_ = std::max(r.listed, r.wanted);
        const bool worth_telling = r.found + r.lost + r.unknown > 0;
        log()->log(
            worth_telling ? spdlog::level::info : spdlog::level::debug,
            "compared with the IPFS daemon's pins listed={} wanted={} newly_found={} lost={} "
            "changed_meanwhile={} unknown={} allocated_elsewhere={} kept={}",
            r.listed, r.wanted, r.found, r.lost, r.changed_meanwhile, r.unknown, r.elsewhere,
            r.kept);
    } else if (report.error().kind != Kind::cancelled) {
        log()->warn(
            "the IPFS daemon's pins could not be compared, no status was changed error=\"{}\"",
            report.error().text);
        // While it is away nothing is told anyway.
        if (run.pins_wait && parts_.ipfs.daemon().available)
            not_below_ = parts_.pinset.work_added() + kCompareFirstRows;
    }
}

/// Merge-join of the list with the pinset and the records as they were before the list began. What
/// has changed since is left alone when a difference is written.
Async<ReconcileReport> Reconciler::compare_all() {
    ReconcileReport report;
    FactsWalk walk(parts_.pinset, parts_.store);
    DaemonList list(parts_.world, parts_.temporary_folder);
    ICL_CO_TRY(report.listed, co_await list.read(parts_.ipfs));
    std::vector<Difference> found;
    std::uint64_t newest = 0;
    ICL_CO_TRY(auto row, co_await walk.next());
    ICL_CO_TRY(auto listed, co_await list.next());
    for (std::size_t steps = 1; row || listed; ++steps) {
        if (steps % kListYieldRows == 0) co_await asio::post(asio::use_awaitable);
        const bool has_row = row && (!listed || row->first.bytes() <= listed->cid);
        const bool has_listed = listed && (!row || listed->cid <= row->first.bytes());
        if (has_row && row->second.pin)
            newest = std::max(newest, row->second.pin->modification_index);
        if (has_row && row->second.mine) {
            ++report.wanted;
            const auto kind = !has_listed         ? IpfsPinStatus::unpinned
                              : listed->recursive ? IpfsPinStatus::recursive
                                                  : IpfsPinStatus::direct;
            const auto finding =
                compare_with_daemon(row->second, is_held(row->second.pin->pin, kind));
            if (finding != Finding::as_recorded)
                found.push_back({row->first, std::move(row->second), finding});
        } else if (has_row && has_listed) {
            // Without a pin it is a record of an unpin that is still due.
            if (row->second.pin) ++(row->second.kept ? report.kept : report.elsewhere);
        } else if (has_listed) {
            // It may be new since the list began, or on its way out.
            auto cid = Cid::from_bytes(listed->cid);
            if (!cid) co_return fail(cid.error());
            ICL_CO_TRY(const auto now, parts_.pinset.get(cid.value()));
            if (!now && parts_.queue.find(cid.value()) == nullptr) ++report.unknown;
        }
        if (found.size() == kReconcileBatchMax) {
            ICL_CO_TRY(settle(found, report));
        }
        if (has_row) {
            ICL_CO_TRY(row, co_await walk.next());
        }
        if (has_listed) {
            ICL_CO_TRY(listed, co_await list.next());
        }
    }
    ICL_CO_TRY(settle(found, report));
    // Operations are applied in the order of their indexes: what is in the pinset with one of these
    // was there when the list began, whether or not its work row was.
    index_compared_ = std::max(index_compared_, newest);
    co_return report;
}

/// Writes what still differs: neither the pin nor the record has changed since the list began, and
/// no worker is at it.
Result<> Reconciler::settle(std::vector<Difference>& found, ReconcileReport& report) {
    Batch batch;
    for (const auto& difference : found) {
        ICL_TRY(auto facts, parts_.facts.read(difference.cid));
        const auto task = parts_.queue.find(difference.cid);
        const bool busy = task != nullptr && task->running;
        if (busy || has_moved_on(difference.facts, facts) ||
            facts.record != difference.facts.record) {
            ++report.changed_meanwhile;
            continue;
        }
        parts_.outcomes.record_finding(batch, difference.cid, facts, difference.finding);
        ++(difference.finding == Finding::pinned ? report.found : report.lost);
    }
    found.clear();
    if (batch.empty()) return ok();
    return parts_.queue.rows().write(std::move(batch));
}

bool Reconciler::may_be_held(const WorkRow& row, const state::StoredPin& pin) const {
    if (row.lane != WorkLane::pin && row.lane != WorkLane::later) return false;
    if (pin.modification_index <= index_compared_) return false;
    const auto came = arrivals_.arrival(row.number);
    return !came || pin.pin.timestamp + kFreshAge < *came;
}

/// Of what was tried before nobody knows how that ended.
component::Held Reconciler::known(const WorkRow& row, const state::StoredPin& pin) const {
    const bool first = row.lane == WorkLane::pin || row.lane == WorkLane::later;
    return first && !may_be_held(row, pin) ? component::Held::no : component::Held::unknown;
}

}  // namespace ipfscluster::tracker
