#include "consensus/raft/commit_queue.hpp"

#include <algorithm>

#include "codec/pin_proto.hpp"
#include "state/operation_codec.hpp"
#include "state/session_window.hpp"

namespace ipfscluster::raft {

namespace {

/// What surrounds a pin in the log, at most about.
constexpr std::size_t kOperationOverhead = 128;

Result<component::CommitResult> result_of(const state::ApplyResult& applied,
                                          const state::LoggedOperation& operation) {
    using state::ApplyOutcome;
    const auto& cid = operation.pin.cid;
    switch (applied.outcome) {
        case ApplyOutcome::applied:
            return component::CommitResult{applied.modification_index};
        case ApplyOutcome::conflict:
            return fail(Kind::conflict, cid.to_string() + " was changed meanwhile");
        case ApplyOutcome::not_found:
            if (operation.fact != state::FactKind::none)
                return fail(Kind::not_found, "it is no member of the cluster");
            return fail(Kind::not_found, cid.to_string() + " is not pinned");
        case ApplyOutcome::not_expired:
            return fail(Kind::conflict, cid.to_string() + " has not expired");
        case ApplyOutcome::duplicate:
            break;
    }
    // Decided before, in a part of the log that reached us inside a snapshot.
    return fail(Kind::unknown_outcome,
                "the operation was carried out or refused, but which of the two is not known here");
}

}  // namespace

CommitQueue::CommitQueue(asio::any_io_executor executor, Bytes origin, Duration retry_after)
    : executor_(std::move(executor)), origin_(std::move(origin)), retry_after_(retry_after) {}

Result<CommitQueue::WaiterPtr> CommitQueue::add(state::LoggedOperation operation,
                                                SteadyTime deadline) {
    if (pending() >= kCommitsPendingMax)
        return fail(Kind::unavailable, "too many operations wait for consensus");
    // Once for all: what is checked here is what goes into the log.
    if (operation.fact == state::FactKind::none &&
        operation.kind == state::LoggedOperation::Kind::pin)
        operation.pin_bytes = codec::encode_pin(operation.pin);
    const auto size = kOperationOverhead + operation.pin_bytes.size() + operation.payload.size();
    if (size > kOperationBytesMax)
        return fail(Kind::invalid, "the pin is larger than " + std::to_string(kOperationBytesMax) +
                                       " bytes: shorten its name, metadata or origins");
    if (pending_bytes_ + size > kCommitsPendingBytesMax)
        return fail(Kind::unavailable, "too many bytes of operations wait for consensus");
    auto waiter = std::make_shared<Waiter>(executor_);
    waiter->operation = std::move(operation);
    // An entry that cannot be read back would stop every peer.
    ICL_TRY(state::check_operation(waiter->operation));
    waiter->size_bytes = size;
    waiter->deadline = deadline;
    pending_bytes_ += size;
    queue_.push_back(waiter);
    return waiter;
}

bool CommitQueue::has_new() const {
    if (queue_.empty()) return false;
    return proposed_.empty() || next_sequence_ < proposed_.begin()->first + state::kSessionWindow;
}

CommitQueue::ProposedBatch CommitQueue::next_batch() {
    ProposedBatch batch;
    std::vector<const state::LoggedOperation*> operations;
    std::size_t bytes = 0;
    while (has_new() && operations.size() < kBatchOperationsMax) {
        const auto& waiter = queue_.front();
        if (!operations.empty() && bytes + waiter->size_bytes > kBatchBytesMax) break;
        bytes += waiter->size_bytes;
        waiter->operation.id = {origin_, next_sequence_++};
        operations.push_back(&waiter->operation);  // kept by `proposed_`
        batch.sequences.push_back(waiter->operation.id.sequence);
        proposed_.emplace(waiter->operation.id.sequence, waiter);
        queue_.pop_front();
    }
    batch.data = state::encode_operations(operations);
    return batch;
}

void CommitQueue::drop_resolved(ProposedBatch& batch) {
    if (std::erase_if(batch.sequences, [this](std::uint64_t sequence) {
            return !proposed_.contains(sequence);
        }) == 0)
        return;
    std::vector<const state::LoggedOperation*> operations;
    for (const auto sequence : batch.sequences)
        operations.push_back(&proposed_.at(sequence)->operation);
    batch.data = state::encode_operations(operations);
}

bool CommitQueue::alive(const ProposedBatch& batch) const {
    return std::any_of(batch.sequences.begin(), batch.sequences.end(),
                       [this](std::uint64_t sequence) { return proposed_.contains(sequence); });
}

void CommitQueue::propose(const Leadership& under, SteadyTime now,
                          const std::function<bool(BytesView)>& propose) {
    std::erase_if(batches_, [this](const ProposedBatch& batch) { return !alive(batch); });
    if (under.leader == 0) return;
    auto give = [&](ProposedBatch& batch) {
        if (!propose(batch.data)) return false;
        batch.sent = true;
        batch.leader = under.leader;
        batch.term = under.term;
        batch.at = now;
        for (const auto sequence : batch.sequences) {
            const auto found = proposed_.find(sequence);
            if (found != proposed_.end()) found->second->proposed = true;
        }
        return true;
    };
    for (auto& batch : batches_) {
        const bool lost = batch.leader != under.leader || batch.term != under.term ||
                          (!under.here && now - batch.at >= retry_after_);
        if ((!batch.sent || lost) && !give(batch)) return;
    }
    while (has_new()) {
        batches_.push_back(next_batch());
        if (!give(batches_.back())) return;
    }
}

void CommitQueue::resolve(Waiter& waiter, Result<component::CommitResult> result) {
    if (waiter.result) return;
    pending_bytes_ -= waiter.size_bytes;
    waiter.result.emplace(std::move(result));
    waiter.done.notify_all();
}

void CommitQueue::applied(const std::vector<state::LoggedOperation>& operations,
                          const std::vector<state::ApplyResult>& results) {
    for (std::size_t i = 0; i < operations.size(); ++i) {
        if (operations[i].id.origin != origin_) continue;
        const auto found = proposed_.find(operations[i].id.sequence);
        if (found == proposed_.end()) continue;
        resolve(*found->second, result_of(results[i], operations[i]));
        proposed_.erase(found);
    }
}

bool CommitQueue::give_up(const WaiterPtr& waiter) {
    if (waiter->result || waiter->proposed) return false;
    std::erase(queue_, waiter);
    const auto found = proposed_.find(waiter->operation.id.sequence);
    if (found != proposed_.end() && found->second == waiter) proposed_.erase(found);
    resolve(*waiter, fail(Kind::cancelled, "the caller no longer waits"));
    drop_resolved_unsent();
    return true;
}

void CommitQueue::drop_resolved_unsent() {
    for (auto& batch : batches_)
        if (!batch.sent) drop_resolved(batch);
}

void CommitQueue::expire(SteadyTime now) {
    std::erase_if(queue_, [&](const WaiterPtr& waiter) {
        if (now < waiter->deadline) return false;
        resolve(*waiter, fail(Kind::unavailable, "no leader: the cluster has no quorum"));
        return true;
    });
    std::erase_if(proposed_, [&](const auto& item) {
        if (now < item.second->deadline) return false;
        if (item.second->proposed)
            resolve(*item.second, fail(Kind::unknown_outcome,
                                       "not confirmed in time; it may still be carried out"));
        else
            resolve(*item.second, fail(Kind::unavailable, "no leader: the cluster has no quorum"));
        return true;
    });
    // What was answered "never sent" must not be sent later, with others of its batch.
    drop_resolved_unsent();
}

void CommitQueue::fail_all(const Error& why) {
    for (auto& waiter : queue_) resolve(*waiter, fail(why));
    for (auto& [sequence, waiter] : proposed_) {
        if (waiter->proposed)
            resolve(*waiter,
                    fail(Kind::unknown_outcome, why.text + "; it may still be carried out"));
        else
            resolve(*waiter, fail(why));
    }
    queue_.clear();
    proposed_.clear();
    batches_.clear();
}

}  // namespace ipfscluster::raft
