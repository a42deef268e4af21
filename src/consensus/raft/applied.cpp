#include "consensus/raft/applied.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "base/log.hpp"
#include "base/planted.hpp"

namespace ipfscluster::raft {

Result<bool> Applied::apply(Engine& engine, const std::vector<LogEntry>& committed,
                            const std::optional<HardState>& hard_state) {
    if (committed.empty() && !hard_state) return false;
    struct Operations {
        std::vector<state::LoggedOperation> operations;
        std::vector<state::ApplyResult> results;
    };
    std::vector<Operations> applied;
    storage::Batch batch;
    bool removed = false;
    if (hard_state) log_.set_hard_state(batch, *hard_state);
    // A change of members lets the engine send at once, snapshots too; what comes before it in this
    // batch is not in the store yet.
    const SnapshotLeases::Hold hold(leases_);
    for (const auto& entry : committed) {
        if (entry.type != EntryType::normal) {
            ICL_TRY(removed, apply_change(engine, batch, entry));
        } else if (!entry.data.empty()) {
            ICL_TRY(auto operations, state::decode_operations(entry.data, feature_level_));
            ICL_TRY(auto results, state_.apply(batch, entry.index, operations));
            ICL_TRY(apply_facts(batch, operations, results));
            applied.push_back({std::move(operations), std::move(results)});
        }
        log_.set_applied(batch, {entry.index, entry.term});
        if (removed) break;
    }
    auto written = store_.write(std::move(batch));
    if (!written) {
        state_.dropped();
        return fail(written.error());
    }
    show();
    for (const auto& item : applied) commits_.applied(item.operations, item.results);
    return removed;
}

/// What operations say about the cluster; a repetition says nothing.
Result<> Applied::apply_facts(storage::Batch& batch,
                              const std::vector<state::LoggedOperation>& operations,
                              std::vector<state::ApplyResult>& results) {
    for (std::size_t i = 0; i < operations.size(); ++i) {
        if (results[i].outcome != state::ApplyOutcome::applied) continue;
        if (operations[i].fact == state::FactKind::cordon) {
            ICL_TRY(const auto fact, decode_cordon_fact(operations[i].payload));
            if (!log_.set_cordon(batch, fact)) results[i].outcome = state::ApplyOutcome::not_found;
            heed_own_cordon(batch);
        } else if (operations[i].fact == state::FactKind::feature_level) {
            ICL_TRY(const auto level, decode_level_fact(operations[i].payload));
            log_.raise_feature_level(batch, level);
            logger("raft")->info("the cluster has feature level {}", log_.facts().feature_level());
        }
    }
    return ok();
}

void Applied::heed_own_cordon(storage::Batch& batch) {
    const auto own = log_.facts().cordon(roster_.self());
    state_.heed(batch, {own.everything, own.since});
}

Result<> Applied::heed() {
    storage::Batch batch;
    heed_own_cordon(batch);
    if (batch.empty()) return ok();
    return store_.write(std::move(batch));
}

void Applied::show() {
    ICL_ASSERT(visible_ <= log_.applied().index, "what a reader sees never goes back");
    state_.applied();
    visible_ = log_.applied().index;
    const bool news = std::exchange(facts_told_, log_.facts().changes()) != log_.facts().changes();
    if (news && cordons_listener_) cordons_listener_();
}

/// An addition that was under way when the node was removed must not bring it back: its data may be
/// gone by now. The table is part of the replicated state, so all members decide alike.
bool Applied::brings_back_a_removed_node(const AppliedChange& wanted) const {
    if (planted(Bug::removed_may_return)) return false;
    return std::any_of(wanted.changes.begin(), wanted.changes.end(), [this](const auto& single) {
        return single.op != ChangeOp::remove && roster_.is_removed(single.id);
    });
}

Result<bool> Applied::apply_change(Engine& engine, storage::Batch& batch, const LogEntry& entry) {
    ICL_TRY(const auto wanted, read_change(entry));
    if (brings_back_a_removed_node(wanted)) return false;
    ICL_TRY(const auto change, engine.apply_change(entry));
    ICL_TRY(log_.set_conf_state(batch, change.conf_state));
    for (const auto& single : change.changes) {
        const auto* known = roster_.record(single.id);
        const bool member = roster_.has(single.id);
        if (member && known == nullptr) {
            ICL_TRY(auto peer, PeerId::from_bytes(change.context));
            logger("raft")->info("member added peer={} node={:016x}", peer.to_string(), single.id);
            log_.set_node(batch, single.id, {std::move(peer), entry.index, false});
            roster_.contacts().erase(single.id);
        } else if (!member && known != nullptr && !known->removed) {
            auto record = *known;
            record.removed = true;
            const auto peer = record.peer;
            logger("raft")->info("member removed peer={} node={:016x}", peer.to_string(),
                                 single.id);
            log_.set_node(batch, single.id, std::move(record));
            log_.forget_facts_of(batch, peer);
            on_removed_(single.id);
        }
    }
    return change.removed_self;
}

Result<> Applied::install(storage::Batch& batch, const SnapshotMeta& snapshot,
                          FetchedSnapshot fetched) {
    logger("raft")->info("installing a snapshot index={} nodes={}", snapshot.at.index,
                         fetched.nodes.size());
    ICL_TRY(log_.install(batch, snapshot, fetched.nodes, std::move(fetched.facts)));
    for (const auto& [id, record] : fetched.nodes) {
        roster_.contacts().erase(id);
        if (record.removed) on_removed_(id);
    }
    if (log_.cluster_id().empty()) log_.set_cluster_id(batch, std::move(fetched.cluster_id));
    ICL_TRY(state_.finish_staging(batch));
    heed_own_cordon(batch);
    return ok();
}

}  // namespace ipfscluster::raft
