// Comparing all records with the daemon's list of pins, in bounded memory.
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <filesystem>

#include "base/log.hpp"
#include "tracker/facts_walk.hpp"
#include "tracker/tracker.hpp"
#include "tracker/tracker_impl.hpp"

namespace ipfscluster::tracker {

using component::ReconcileReport;
using storage::Batch;

namespace {

/// Records read back from the spool in one visit to the disk.
constexpr std::size_t kSpoolBatchMax = 1024;
/// Rows of a list between two turns of the strand.
constexpr std::size_t kListYieldRows = 256;

constexpr char kDirect = 'd';
constexpr char kRecursive = 'r';

auto log() {
    return logger("pintracker");
}

/// One CID of the daemon's list.
struct Listed {
    Bytes cid;
    bool recursive = false;
};

/// The sorted list, one CID at a time. A spooled record is the CID and one letter.
class ListedPins {
 public:
    ListedPins(World& world, std::shared_ptr<SortedSpool> spool)
        : world_(world), spool_(std::move(spool)) {}

    Async<std::optional<Listed>> next() {
        ICL_CO_TRY(auto record, co_await take());
        if (!record) co_return std::optional<Listed>{};
        Listed listed;
        listed.recursive = record->back() == kRecursive;
        record->pop_back();
        listed.cid = std::move(*record);
        // One that changed its kind while it was listed may be there twice.
        for (;;) {
            ICL_CO_TRY(co_await fill());
            if (at_ == batch_.size()) break;
            const BytesView again = batch_[at_];
            if (again.substr(0, again.size() - 1) != listed.cid) break;
            listed.recursive = listed.recursive || again.back() == kRecursive;
            ++at_;
        }
        co_return std::optional<Listed>(std::move(listed));
    }

 private:
    Async<> fill() {
        if (at_ < batch_.size() || ended_) co_return ok();
        auto work = [spool = spool_] { return spool->read(kSpoolBatchMax); };
        ICL_CO_TRY(batch_, co_await offload(world_, work));
        at_ = 0;
        ended_ = batch_.empty();
        co_return ok();
    }
    Async<std::optional<Bytes>> take() {
        ICL_CO_TRY(co_await fill());
        if (at_ == batch_.size()) co_return std::optional<Bytes>{};
        co_return std::optional<Bytes>(std::move(batch_[at_++]));
    }

    World& world_;
    std::shared_ptr<SortedSpool> spool_;
    std::vector<Bytes> batch_;
    std::size_t at_ = 0;
    bool ended_ = false;
};

std::string spool_folder(const std::string& configured) {
    if (!configured.empty()) return configured;
    std::error_code ec;
    const auto folder = std::filesystem::temp_directory_path(ec);
    return ec ? std::string("/tmp") : folder.string();
}

}  // namespace

Async<ReconcileReport> Tracker::reconcile() {
    auto impl = impl_;
    auto report = co_await impl->reconcile();
    co_return report;
}

Async<ReconcileReport> Tracker::Impl::reconcile() {
    auto self = shared_from_this();
    // The list of one that runs may have been read before what its caller wants to see has
    // happened.
    if (reconciling && !following) following = std::make_shared<ReconcileRun>(world.executor());
    auto run = reconciling ? following : start_reconcile(false);
    if (!run) co_return fail(Kind::shutting_down, "the pin tracker is stopping");
    while (!run->result) {
        auto woken = co_await run->ended.wait();
        if (!woken && !run->result) co_return fail(woken.error());
    }
    auto result = *run->result;
    co_return result;
}

/// The pins that wait may be held already, were never compared with a list, and are more than what
/// the last comparison cost: another one is cheaper than asking about each.
bool Tracker::Impl::many_pins_wait() {
    if (lines.size(Line::fresh) + lines.size(Line::older) < kTrackerBatchMax / 2) return false;
    const auto added = pinset.work_added();
    const auto waiting = std::min(queue.size(added), added - std::min(added, rows_compared));
    if (waiting < std::max(kCompareFirstRows, compared_last) || added < compare_not_below)
        return false;
    const auto next = lines.first_untried();
    if (!next) return false;
    const auto pin = pinset.get(next->row.cid);
    return pin && pin.value() && may_be_held(next->row, *pin.value());
}

std::shared_ptr<ReconcileRun> Tracker::Impl::start_reconcile(bool pins_wait) {
    auto run = std::make_shared<ReconcileRun>(world.executor());
    run->pins_wait = pins_wait;
    return begin_reconcile(run) ? run : nullptr;
}

bool Tracker::Impl::begin_reconcile(std::shared_ptr<ReconcileRun> run) {
    // Before it begins: it may end at once.
    reconciling = run;
    if (tasks.spawn(run_reconcile(std::move(run)))) return true;
    reconciling.reset();
    return false;
}

void Tracker::Impl::end_reconcile(const std::shared_ptr<ReconcileRun>& run,
                                  Result<ReconcileReport> result) {
    run->result.emplace(std::move(result));
    run->ended.notify_all();
}

/// A task of its own, so that it goes on for the others when one who asked goes away.
asio::awaitable<void> Tracker::Impl::run_reconcile(std::shared_ptr<ReconcileRun> run) {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto self = shared_from_this();
    const auto rows = pinset.work_added();
    auto report = co_await compare_all();
    if (report) {
        const auto& r = report.value();
        rows_compared = std::max(rows_compared, rows);
        compared_last = std::max(r.listed, r.wanted);
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
        if (run->pins_wait && ipfs.daemon().available)
            compare_not_below = pinset.work_added() + kCompareFirstRows;
    }
    reconciling.reset();
    end_reconcile(run, std::move(report));
    if (const auto next = std::exchange(following, nullptr); next && !begin_reconcile(next))
        end_reconcile(next, fail(Kind::shutting_down, "the pin tracker is stopping"));
    notify();
}

/// Reads the whole list before anything is compared: one that breaks off proves nothing.
Async<std::uint64_t> Tracker::Impl::spool_listing(std::shared_ptr<SortedSpool> spool) {
    std::vector<std::string> types{"recursive", "direct"};
    auto list = ipfs.pin_ls(std::move(types));
    std::uint64_t listed = 0;
    for (;;) {
        auto pin = co_await list->next();
        if (!pin) co_return fail(pin.error());
        if (!pin.value()) break;
        const auto status = pin.value()->status;
        if (status != IpfsPinStatus::recursive && status != IpfsPinStatus::direct) continue;
        if (++listed % kListYieldRows == 0) co_await asio::post(asio::use_awaitable);
        auto record = pin.value()->cid.bytes();
        // Longer ones are in no pinset.
        if (record.size() > state::kCidBytesMax) continue;
        record.push_back(status == IpfsPinStatus::recursive ? kRecursive : kDirect);
        if (!spool->add(record)) continue;
        auto work = [spool] { return spool->write_run(); };
        ICL_CO_TRY(co_await offload(world, work));
    }
    auto work = [spool] { return spool->finish(); };
    ICL_CO_TRY(co_await offload(world, work));
    co_return listed;
}

/// Merge-join of the list with the pinset and the records as they were before the list began. What
/// has changed since is left alone when a difference is written.
Async<ReconcileReport> Tracker::Impl::compare_all() {
    ReconcileReport report;
    FactsWalk walk(pinset, store);
    auto spool = std::make_shared<SortedSpool>(spool_folder(options.temporary_folder));
    ICL_CO_TRY(report.listed, co_await spool_listing(spool));
    ListedPins list(world, std::move(spool));
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
            ICL_CO_TRY(const auto now, pinset.get(cid.value()));
            if (!now && !active.contains(cid.value())) ++report.unknown;
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
    index_compared = std::max(index_compared, newest);
    co_return report;
}

/// Writes what still differs: neither the pin nor the record has changed since the list began, and
/// no worker is at it.
Result<> Tracker::Impl::settle(std::vector<Difference>& found, ReconcileReport& report) {
    Batch batch;
    for (const auto& difference : found) {
        ICL_TRY(auto facts, read(difference.cid));
        const auto task = active.find(difference.cid);
        const bool busy = task != active.end() && task->second->running;
        if (busy || has_moved_on(difference.facts, facts) ||
            facts.record != difference.facts.record) {
            ++report.changed_meanwhile;
            continue;
        }
        ICL_TRY(record_finding(batch, difference.cid, facts, difference.finding));
        ++(difference.finding == Finding::pinned ? report.found : report.lost);
    }
    found.clear();
    if (batch.empty()) return ok();
    return queue.write(std::move(batch));
}

}  // namespace ipfscluster::tracker
