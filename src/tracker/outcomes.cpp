#include "tracker/outcomes.hpp"

#include "base/log.hpp"

namespace ipfscluster::tracker {

using storage::Batch;
using storage::Family;
using Phase = TrackRecord::Phase;

namespace {
auto log() {
    return logger("pintracker");
}
}  // namespace

/// The first attempt in a row that an outage ended is made good as soon as that is over; the next
/// ones wait, as it may be this item that the daemon dies of.
Time Outcomes::next_try(const Task& task, const Error& error) const {
    const bool outage = error.kind == Kind::unavailable && !parts_.ipfs.daemon().available;
    const auto failures = outage ? task.attempts - 1 : task.attempts;
    return parts_.world.system_now() +
           retry_delay(failures, parts_.options.retry_delay_first, parts_.options.retry_delay_max);
}

Result<> Outcomes::finish(const TaskPtr& task, const Facts& facts, Result<> outcome) {
    Batch batch;
    settle(batch, task, facts, std::move(outcome));
    return parts_.queue.rows().write(std::move(batch));
}

void Outcomes::settle(Batch& batch, const TaskPtr& task, const Facts& facts, Result<> outcome) {
    const auto& cid = task->row.cid;
    const auto now = parts_.world.system_now();
    // What every peer holds cannot be given to others.
    if (task->step == Step::pin && !outcome && outcome.error().kind == Kind::disk_full &&
        facts.mine && !facts.pin->pin.everywhere())
        no_room_.failed(cid, parts_.world.steady_now());
    else
        no_room_.ended(cid);
    parts_.queue.rows().remove(batch, task->row);
    const auto& old = facts.record;
    if (old && old->next_retry != kTimeUnset) {
        const WorkRow retry{WorkLane::retry, as_number(old->next_retry), cid};
        if (!(retry == task->row)) parts_.queue.rows().remove(batch, retry);
    }
    TrackRecord record;
    record.since = now;
    record.modification_index = facts.mine ? facts.pin->modification_index : 0;
    if (!outcome) {
        record.phase = task->step == Step::pin ? Phase::pin_error : Phase::unpin_error;
        record.attempts = task->attempts;
        record.error = shorten(outcome.error().text);
        record.next_retry = next_try(*task, outcome.error());
        parts_.queue.rows().add(batch, {WorkLane::retry, as_number(record.next_retry), cid});
        batch.put(Family::tracker, cid.bytes(), encode(record));
        log()->warn("{} failed cid={} attempt={} error=\"{}\"",
                    task->step == Step::pin ? "pinning" : "unpinning", cid.to_string(),
                    task->attempts, outcome.error().text);
    } else if (task->step == Step::pin) {
        record.size_bytes = task->progress.bytes;
        batch.put(Family::tracker, cid.bytes(), encode(record));
    } else if (task->step == Step::unpin) {
        batch.del(Family::tracker, cid.bytes());
    } else if (old && old->next_retry != kTimeUnset) {
        auto settled = *old;
        settled.next_retry = kTimeUnset;
        batch.put(Family::tracker, cid.bytes(), encode(settled));
    }
}

void Outcomes::record_finding(Batch& batch, const Cid& cid, Facts& facts, Finding finding) {
    TrackRecord record;
    record.modification_index = facts.pin->modification_index;
    record.since = parts_.world.system_now();
    if (facts.record) {
        record.size_bytes = facts.record->size_bytes;
        record.next_retry = facts.record->next_retry;
    }
    if (finding == Finding::lost) {
        record.phase = Phase::unexpectedly_unpinned;
        record.error = kUnexpected;
    }
    // The row of a task that already waits in memory goes when the task is looked at.
    if (record.next_retry != kTimeUnset && parts_.queue.find(cid) == nullptr) {
        parts_.queue.rows().remove(batch, {WorkLane::retry, as_number(record.next_retry), cid});
        record.next_retry = kTimeUnset;
    }
    batch.put(Family::tracker, cid.bytes(), encode(record));
    facts.record = std::move(record);
}

Result<> Outcomes::record_whole(const Cid& cid, Facts& facts) {
    Batch batch;
    record_finding(batch, cid, facts, Finding::pinned);
    return parts_.queue.rows().write(std::move(batch));
}

}  // namespace ipfscluster::tracker
