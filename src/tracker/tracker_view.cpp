#include "tracker/tracker_view.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "tracker/facts_walk.hpp"
#include "tracker/kept_planner.hpp"

namespace ipfscluster::tracker {

using storage::Batch;

PinInfo TrackerView::describe(const Cid& cid, const Facts& facts) const {
    const auto now = parts_.world.system_now();
    PinInfo row;
    row.cid = cid;
    row.peer = parts_.pinset.self();
    row.info.peername = identity_.peername;
    row.info.ipfs_peer = identity_.ipfs.id;
    row.info.ipfs_addresses = identity_.ipfs.addresses;
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
    if (const auto found = parts_.queue.find(cid)) {
        const auto& task = *found;
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
    if (queued && row.info.error.empty()) row.info.error = parts_.ipfs.daemon().reason;
    row.info.attempt_count = static_cast<int>(attempts);
    row.info.priority_pin =
        facts.mine && is_priority(facts.pin->pin, attempts, now, parts_.queue.priority_rule());
    return row;
}

/// This peer's row; the daemon was asked where it says whether the item is held and nothing runs.
Async<TrackerView::Asked> TrackerView::look(Cid cid) {
    ICL_CO_TRY(auto facts, parts_.facts.read(cid));
    Asked asked{describe(cid, facts), std::nullopt};
    const auto status = asked.row.info.status;
    const bool asks = facts.mine && (status == TrackerStatus::pinned ||
                                     status == TrackerStatus::unexpectedly_unpinned ||
                                     status == TrackerStatus::pin_error);
    if (!asks) co_return asked;
    co_return co_await ask_daemon(std::move(cid), std::move(facts));
}

Async<PinInfo> TrackerView::status(Cid cid) {
    ICL_CO_TRY(auto asked, co_await look(std::move(cid)));
    auto& info = asked.row.info;
    // Why a pin failed says more than that the daemon cannot be asked now. `pinned` is the daemon's
    // word, whatever has happened meanwhile: others let go of their copies because of it.
    const bool stands = asked.overtaken && info.status != TrackerStatus::pinned;
    if (asked.unasked && !stands && info.status != TrackerStatus::pin_error) {
        info.status = TrackerStatus::cluster_error;
        info.error = asked.unasked->text;
        info.timestamp = parts_.world.system_now();
    }
    co_return std::move(asked.row);
}

Async<PinInfo> TrackerView::sync(Cid cid) {
    ICL_CO_TRY(auto asked, co_await look(std::move(cid)));
    if (asked.unasked) co_return fail(std::move(*asked.unasked));
    co_return std::move(asked.row);
}

/// Compares the record with the daemon and corrects it.
Async<TrackerView::Asked> TrackerView::ask_daemon(Cid cid, Facts facts) {
    auto answer = co_await parts_.ipfs.pin_status(facts.pin->pin);
    ICL_CO_TRY(auto after, parts_.facts.read(cid));
    Asked asked{describe(cid, after), std::nullopt};
    if (!answer) asked.unasked = answer.error();
    asked.overtaken = has_moved_on(facts, after) || parts_.queue.find(cid) != nullptr ||
                      after.record != facts.record;
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
        parts_.outcomes.record_finding(batch, cid, after, finding);
        ICL_CO_TRY(parts_.queue.rows().write(std::move(batch)));
        asked.row = describe(cid, after);
    } else if (failed_anyway) {
        co_return asked;
    }
    asked.row.info.timestamp = parts_.world.system_now();
    co_return asked;
}

/// What waits for a worker after its retry came due is told to hurry, too.
Async<PinInfo> TrackerView::recover(Cid cid) {
    auto before = co_await status(cid);
    if (!before) co_return before;
    ICL_CO_TRY(auto facts, parts_.facts.read(cid));
    const bool waits = facts.record && facts.record->next_retry != kTimeUnset;
    if (!can_recover(before.value().info.status) && !waits) co_return before;
    ICL_CO_TRY(parts_.queue.requeue(cid, facts, kDueAtOnce));
    co_return describe(cid, facts);
}

/// What runs is looked up as rows come; the tables are frozen when it is made.
class TrackerView::StatusSource final : public Source<PinInfo> {
 public:
    StatusSource(TrackerView& view, StatusFilter filter)
        : view_(view), filter_(filter), rows_(view.parts_.pinset, view.parts_.store) {}

    Async<std::optional<PinInfo>> next() override {
        for (;;) {
            if (++looked_ % state::kRowsPerTurnMax == 0) co_await asio::post(asio::use_awaitable);
            auto row = co_await rows_.next();
            if (!row) co_return fail(row.error());
            if (!row.value()) co_return std::optional<PinInfo>{};
            auto info = view_.describe(row.value()->first, row.value()->second);
            if (matches(info.info.status, filter_))
                co_return std::optional<PinInfo>(std::move(info));
        }
    }

 private:
    TrackerView& view_;
    StatusFilter filter_;
    FactsWalk rows_;
    std::size_t looked_ = 0;
};

SourcePtr<PinInfo> TrackerView::status_all(StatusFilter filter) {
    return std::make_unique<StatusSource>(*this, filter);
}

namespace {
constexpr StatusFilter kInError = static_cast<StatusFilter>(TrackerStatus::pin_error) |
                                  static_cast<StatusFilter>(TrackerStatus::unpin_error) |
                                  static_cast<StatusFilter>(TrackerStatus::unexpectedly_unpinned);
}  // namespace

/// Looks at the daemon, then queues again what is in error, or only what would not be tried again
/// by itself, and gives those rows.
class TrackerView::RecoverSource final : public Source<PinInfo> {
 public:
    RecoverSource(TrackerView& view, bool all) : view_(view), all_(all) {}

    Async<std::optional<PinInfo>> next() override {
        auto& parts = view_.parts_;
        if (!rows_) {
            auto looked = co_await parts.reconciler.reconcile();
            if (!looked) co_return fail(looked.error());
            rows_.emplace(parts.pinset, parts.store);
        }
        for (;;) {
            if (++looked_ % state::kRowsPerTurnMax == 0) co_await asio::post(asio::use_awaitable);
            auto found = co_await rows_->next();
            if (!found) co_return fail(found.error());
            if (!found.value()) co_return std::optional<PinInfo>{};
            auto& [cid, frozen] = *found.value();
            if (!is_in_error(cid, frozen)) continue;
            // The list was frozen when it began.
            ICL_CO_TRY(auto facts, parts.facts.read(cid));
            if (!is_in_error(cid, facts)) continue;
            const auto now = parts.world.system_now();
            if (!all_ && tries_itself(facts, now, parts.options.retry_delay_max)) continue;
            ICL_CO_TRY(parts.queue.requeue(cid, facts, now));
            co_return std::optional<PinInfo>(view_.describe(cid, facts));
        }
    }

 private:
    /// The status does not tell of a copy that others have and the daemon did not let go.
    bool is_in_error(const Cid& cid, const Facts& facts) const {
        const bool failed_release =
            !facts.mine && facts.record && facts.record->phase == TrackRecord::Phase::unpin_error;
        return failed_release || can_recover(view_.describe(cid, facts).info.status);
    }

    TrackerView& view_;
    bool all_;
    std::optional<FactsWalk> rows_;
    std::size_t looked_ = 0;
};

SourcePtr<PinInfo> TrackerView::recover_all(bool all) {
    return std::make_unique<RecoverSource>(*this, all);
}

/// Looks at the daemon, then gives what is in error and what has changed since it was called.
class TrackerView::SyncSource final : public Source<PinInfo> {
 public:
    explicit SyncSource(TrackerView& view) : view_(view), since_(view.parts_.world.system_now()) {}

    Async<std::optional<PinInfo>> next() override {
        if (!rows_) {
            auto looked = co_await view_.parts_.reconciler.reconcile();
            if (!looked) co_return fail(looked.error());
            rows_.emplace(view_, kInError | static_cast<StatusFilter>(TrackerStatus::pinned));
        }
        for (;;) {
            auto found = co_await rows_->next();
            if (!found || !found.value()) co_return found;
            const auto& info = found.value()->info;
            if (info.status != TrackerStatus::pinned || info.timestamp >= since_) co_return found;
        }
    }

 private:
    TrackerView& view_;
    Time since_;
    std::optional<StatusSource> rows_;
};

SourcePtr<PinInfo> TrackerView::sync_all() {
    return std::make_unique<SyncSource>(*this);
}

}  // namespace ipfscluster::tracker
