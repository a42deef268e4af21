#pragma once
#include <functional>

#include "consensus/raft/commit_queue.hpp"
#include "consensus/raft/roster.hpp"
#include "consensus/raft/snapshots.hpp"

namespace ipfscluster::raft {

/// What the log has made of the store: applies committed entries, each batch as one, installs
/// snapshots, and knows what of that a reader sees. Owned by the consensus component and used by
/// its driver's rounds, on its strand. A failure leaves log and store apart: the component has to
/// end.
class Applied {
 public:
    using NodeListener = std::function<void(NodeId)>;
    Applied(storage::Store& store, state::State& state, LogStore& log, Roster& roster,
            CommitQueue& commits, SnapshotLeases& leases, std::uint32_t feature_level,
            NodeListener on_removed)
        : store_(store),
          state_(state),
          log_(log),
          roster_(roster),
          commits_(commits),
          leases_(leases),
          feature_level_(feature_level),
          on_removed_(std::move(on_removed)) {}

    /// Applies the entries and resolves the commits among them. True: one removed this node, and
    /// none behind it was looked at. The commit index goes with what it lets us apply: a node never
    /// starts with applied > commit.
    Result<bool> apply(Engine& engine, const std::vector<LogEntry>& committed,
                       const std::optional<HardState>& hard_state);
    /// Adds the switch to a snapshot to a batch; `show` once it is written, `dropped` if it is not.
    Result<> install(storage::Batch& batch, const SnapshotMeta& snapshot, FetchedSnapshot fetched);
    void dropped() { state_.dropped(); }
    /// At the start: what was told about this peer says what it holds, and an earlier build may
    /// have applied that without heeding it.
    Result<> heed();
    /// Whether the pins have to be walked because another word about this peer was applied.
    bool walks() const { return state_.holding().walking(); }
    /// The one place where rows become visible, once they are in the store. Until then, a whole
    /// sync long for a snapshot, the log already counts them as applied: no promise to a reader is
    /// made of that.
    void show();
    /// What a reader of the state sees.
    std::uint64_t visible() const { return visible_; }
    void on_cordons(std::function<void()> listener) { cordons_listener_ = std::move(listener); }

 private:
    Result<> apply_facts(storage::Batch& batch,
                         const std::vector<state::LoggedOperation>& operations,
                         std::vector<state::ApplyResult>& results);
    Result<bool> apply_change(Engine& engine, storage::Batch& batch, const LogEntry& entry);
    void heed_own_cordon(storage::Batch& batch);
    bool brings_back_a_removed_node(const AppliedChange& wanted) const;

    storage::Store& store_;
    state::State& state_;
    LogStore& log_;
    Roster& roster_;
    CommitQueue& commits_;
    SnapshotLeases& leases_;
    std::uint32_t feature_level_;
    NodeListener on_removed_;
    std::uint64_t visible_ = 0;
    std::uint64_t facts_told_ = 0;  ///< changes of the facts that the listener has heard of
    std::function<void()> cordons_listener_;
};

}  // namespace ipfscluster::raft
