// What the tracker tells about its items, and queuing them again.
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "tracker/facts_walk.hpp"
#include "tracker/kept_planner.hpp"
#include "tracker/tracker.hpp"
#include "tracker/tracker_impl.hpp"

namespace ipfscluster::tracker {

using storage::Batch;
using storage::Family;
using Phase = TrackRecord::Phase;

namespace {
constexpr std::string_view kUnexpected = "the item should be pinned but it is not";
}

PinInfo Tracker::Impl::describe(const Cid& cid, const Facts& facts) const {
    const auto now = world.system_now();
    PinInfo row;
    row.cid = cid;
    row.peer = pinset.self();
    row.info.peername = identity.peername;
    row.info.ipfs_peer = identity.ipfs.id;
    row.info.ipfs_addresses = identity.ipfs.addresses;
    row.info.status = resting_status(facts, now);
    row.info.timestamp = now;
    if (facts.pin) {
        const auto& pin = facts.pin->pin;
        row.name = pin.options.name;
        row.allocations = pin.allocations;
        row.origins = pin.options.origins;
        row.created = pin.timestamp;
        row.metadata = pin.options.metadata;
        row.info.timestamp = pin.timestamp;
    }
    std::uint32_t attempts = 0;
    if (facts.record) {
        attempts = facts.record->attempts;
        row.info.timestamp = std::max(row.info.timestamp, facts.record->since);
        row.info.error = facts.record->error;
    }
    if (facts.pin && facts.kept) row.info.error = kept_text(facts.pin->pin);
    if (const auto it = active.find(cid); it != active.end()) {
        const auto& task = *it->second;
        row.info.timestamp = task.since;
        if (task.running && task.step == Step::pin && facts.mine) {
            row.info.status = TrackerStatus::pinning;
            row.info.fetched_blocks = task.progress.blocks;
            row.info.fetched_bytes = task.progress.bytes;
            attempts = task.attempts;
        } else if (task.running && task.step == Step::unpin && !facts.pin) {
            row.info.status = TrackerStatus::unpinning;
            attempts = task.attempts;
        } else if (can_recover(row.info.status)) {
            row.info.status = facts.mine ? TrackerStatus::pin_queued : TrackerStatus::unpin_queued;
        }
    }
    const bool queued = row.info.status == TrackerStatus::pin_queued ||
                        row.info.status == TrackerStatus::unpin_queued;
    if (queued && row.info.error.empty()) row.info.error = ipfs.daemon().reason;
    row.info.attempt_count = static_cast<int>(attempts);
    row.info.priority_pin =
        facts.mine && is_priority(facts.pin->pin, attempts, now, priority_rule());
    return row;
}

/// This peer's row; the daemon was asked where it says whether the item is held and nothing runs.
Async<Asked> Tracker::Impl::look(Cid cid) {
    ICL_CO_TRY(auto facts, read(cid));
    Asked asked{describe(cid, facts), std::nullopt};
    const auto status = asked.row.info.status;
    const bool asks = facts.mine && (status == TrackerStatus::pinned ||
                                     status == TrackerStatus::unexpectedly_unpinned ||
                                     status == TrackerStatus::pin_error);
    if (!asks) co_return asked;
    co_return co_await ask_daemon(std::move(cid), std::move(facts));
}

Async<PinInfo> Tracker::status(Cid cid) {
    auto impl = impl_;
    ICL_CO_TRY(auto asked, co_await impl->look(std::move(cid)));
    auto& info = asked.row.info;
    // Why a pin failed says more than that the daemon cannot be asked now. `pinned` is the daemon's
    // word, whatever has happened meanwhile: others let go of their copies because of it.
    const bool stands = asked.overtaken && info.status != TrackerStatus::pinned;
    if (asked.unasked && !stands && info.status != TrackerStatus::pin_error) {
        info.status = TrackerStatus::cluster_error;
        info.error = asked.unasked->text;
        info.timestamp = impl->world.system_now();
    }
    co_return std::move(asked.row);
}

Async<PinInfo> Tracker::sync(Cid cid) {
    auto impl = impl_;
    ICL_CO_TRY(auto asked, co_await impl->look(std::move(cid)));
    if (asked.unasked) co_return fail(std::move(*asked.unasked));
    co_return std::move(asked.row);
}

/// Compares the record with the daemon and corrects it.
Async<Asked> Tracker::Impl::ask_daemon(Cid cid, Facts facts) {
    auto self = shared_from_this();
    auto answer = co_await ipfs.pin_status(facts.pin->pin);
    ICL_CO_TRY(auto after, read(cid));
    Asked asked{describe(cid, after), std::nullopt};
    if (!answer) asked.unasked = answer.error();
    asked.overtaken =
        has_moved_on(facts, after) || active.contains(cid) || after.record != facts.record;
    if (!answer) co_return asked;
    const bool held = after.mine && is_held(after.pin->pin, answer.value());
    if (asked.overtaken) {
        // Nobody may believe the record where the daemon says that it has lost the item.
        if (!held && asked.row.info.status == TrackerStatus::pinned) {
            asked.row.info.status = TrackerStatus::unexpectedly_unpinned;
            asked.row.info.error = kUnexpected;
        }
        co_return asked;
    }
    const bool failed_anyway = asked.row.info.status == TrackerStatus::pin_error;
    const auto finding = compare_with_daemon(after, held);
    if (finding != Finding::as_recorded) {
        Batch batch;
        ICL_CO_TRY(record_finding(batch, cid, after, finding));
        ICL_CO_TRY(queue.write(std::move(batch)));
        asked.row = describe(cid, after);
    } else if (failed_anyway) {
        co_return asked;
    }
    asked.row.info.timestamp = world.system_now();
    co_return asked;
}

/// Puts what the daemon says into the record of an item that nobody works on.
Result<> Tracker::Impl::record_finding(Batch& batch, const Cid& cid, Facts& facts,
                                       Finding finding) {
    TrackRecord record;
    record.modification_index = facts.pin->modification_index;
    record.since = world.system_now();
    if (facts.record) {
        record.size_bytes = facts.record->size_bytes;
        record.next_retry = facts.record->next_retry;
    }
    if (finding == Finding::lost) {
        record.phase = Phase::unexpectedly_unpinned;
        record.error = kUnexpected;
    }
    // The row of a task that already waits in memory goes when the task is looked at.
    if (record.next_retry != kTimeUnset && !active.contains(cid)) {
        queue.remove(
            batch, {WorkLane::retry,
                    static_cast<std::uint64_t>(record.next_retry.time_since_epoch().count()), cid});
        record.next_retry = kTimeUnset;
    }
    batch.put(Family::tracker, cid.bytes(), encode(record));
    facts.record = std::move(record);
    return ok();
}

/// Makes an item that has failed or was lost due. The record keeps its error and attempts until the
/// next one has ended.
Result<> Tracker::Impl::requeue(const Cid& cid, Facts& facts, Time due) {
    if (!facts.record) return ok();
    if (const auto it = active.find(cid); it != active.end()) {
        const auto& task = it->second;
        if (due != kDueAtOnce || task->running || task->hurried) return ok();
        task->hurried = true;
        lines.push(line_of_asked(facts), task);
        notify();
        return ok();
    }
    Batch batch;
    auto& record = *facts.record;
    const auto number = [](Time t) {
        return static_cast<std::uint64_t>(t.time_since_epoch().count());
    };
    if (record.next_retry != kTimeUnset)
        queue.remove(batch, {WorkLane::retry, number(record.next_retry), cid});
    record.next_retry = due;
    queue.add(batch, {WorkLane::retry, number(record.next_retry), cid});
    batch.put(Family::tracker, cid.bytes(), encode(record));
    ICL_TRY(queue.write(std::move(batch)));
    notify();
    return ok();
}

/// What waits for a worker after its retry came due is told to hurry, too.
Async<PinInfo> Tracker::recover(Cid cid) {
    auto impl = impl_;
    auto before = co_await status(cid);
    if (!before) co_return before;
    ICL_CO_TRY(auto facts, impl->read(cid));
    const bool waits = facts.record && facts.record->next_retry != kTimeUnset;
    if (!can_recover(before.value().info.status) && !waits) co_return before;
    ICL_CO_TRY(impl->requeue(cid, facts, kDueAtOnce));
    co_return impl->describe(cid, facts);
}

/// What runs is looked up as rows come; the tables are frozen when it is made.
class Tracker::StatusSource final : public Source<PinInfo> {
 public:
    StatusSource(std::shared_ptr<Impl> impl, StatusFilter filter)
        : impl_(std::move(impl)), filter_(filter), rows_(impl_->pinset, impl_->store) {}

    Async<std::optional<PinInfo>> next() override {
        for (;;) {
            if (++looked_ % state::kRowsPerTurnMax == 0) co_await asio::post(asio::use_awaitable);
            auto row = co_await rows_.next();
            if (!row) co_return fail(row.error());
            if (!row.value()) co_return std::optional<PinInfo>{};
            auto info = impl_->describe(row.value()->first, row.value()->second);
            if (matches(info.info.status, filter_))
                co_return std::optional<PinInfo>(std::move(info));
        }
    }

 private:
    std::shared_ptr<Impl> impl_;
    StatusFilter filter_;
    FactsWalk rows_;
    std::size_t looked_ = 0;
};

SourcePtr<PinInfo> Tracker::status_all(StatusFilter filter) {
    return std::make_unique<StatusSource>(impl_, filter);
}

namespace {
constexpr StatusFilter kInError = static_cast<StatusFilter>(TrackerStatus::pin_error) |
                                  static_cast<StatusFilter>(TrackerStatus::unpin_error) |
                                  static_cast<StatusFilter>(TrackerStatus::unexpectedly_unpinned);
}  // namespace

/// Looks at the daemon, then queues again what is in error, or only what would not be tried again
/// by itself, and gives those rows.
class Tracker::RecoverSource final : public Source<PinInfo> {
 public:
    RecoverSource(std::shared_ptr<Impl> impl, bool all) : impl_(std::move(impl)), all_(all) {}

    Async<std::optional<PinInfo>> next() override {
        if (!rows_) {
            auto looked = co_await impl_->reconcile();
            if (!looked) co_return fail(looked.error());
            rows_.emplace(impl_->pinset, impl_->store);
        }
        for (;;) {
            if (++looked_ % state::kRowsPerTurnMax == 0) co_await asio::post(asio::use_awaitable);
            auto found = co_await rows_->next();
            if (!found) co_return fail(found.error());
            if (!found.value()) co_return std::optional<PinInfo>{};
            auto& [cid, frozen] = *found.value();
            if (!is_in_error(cid, frozen)) continue;
            // The list was frozen when it began.
            ICL_CO_TRY(auto facts, impl_->read(cid));
            if (!is_in_error(cid, facts)) continue;
            const auto now = impl_->world.system_now();
            if (!all_ && tries_itself(facts, now, impl_->options.retry_delay_max)) continue;
            ICL_CO_TRY(impl_->requeue(cid, facts, now));
            co_return std::optional<PinInfo>(impl_->describe(cid, facts));
        }
    }

 private:
    /// The status does not tell of a copy that others have and the daemon did not let go.
    bool is_in_error(const Cid& cid, const Facts& facts) const {
        const bool failed_release =
            !facts.mine && facts.record && facts.record->phase == Phase::unpin_error;
        return failed_release || can_recover(impl_->describe(cid, facts).info.status);
    }

    std::shared_ptr<Impl> impl_;
    bool all_;
    std::optional<FactsWalk> rows_;
    std::size_t looked_ = 0;
};

SourcePtr<PinInfo> Tracker::recover_all() {
    return std::make_unique<RecoverSource>(impl_, true);
}

SourcePtr<PinInfo> Tracker::recover_lost() {
    return std::make_unique<RecoverSource>(impl_, false);
}

/// Looks at the daemon, then gives what is in error and what has changed since it was called.
class Tracker::SyncSource final : public Source<PinInfo> {
 public:
    explicit SyncSource(std::shared_ptr<Impl> impl)
        : impl_(std::move(impl)), since_(impl_->world.system_now()) {}

    Async<std::optional<PinInfo>> next() override {
        if (!rows_) {
            auto looked = co_await impl_->reconcile();
            if (!looked) co_return fail(looked.error());
            rows_.emplace(impl_, kInError | static_cast<StatusFilter>(TrackerStatus::pinned));
        }
        for (;;) {
            auto found = co_await rows_->next();
            if (!found || !found.value()) co_return found;
            const auto& info = found.value()->info;
            if (info.status != TrackerStatus::pinned || info.timestamp >= since_) co_return found;
        }
    }

 private:
    std::shared_ptr<Impl> impl_;
    Time since_;
    std::optional<StatusSource> rows_;
};

SourcePtr<PinInfo> Tracker::sync_all() {
    return std::make_unique<SyncSource>(impl_);
}

}  // namespace ipfscluster::tracker
