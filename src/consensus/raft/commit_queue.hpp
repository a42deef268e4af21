#pragma once
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "component/consensus.hpp"
#include "consensus/raft/types.hpp"
#include "runtime/signal.hpp"
#include "state/state.hpp"

namespace ipfscluster::raft {

/// Operations waiting for their result; more are refused.
inline constexpr std::size_t kCommitsPendingMax = 16384;
/// And their bytes.
inline constexpr std::size_t kCommitsPendingBytesMax = 64 * 1024 * 1024;
/// One log entry: so many operations, and about so many bytes unless one operation alone is larger.
inline constexpr std::size_t kBatchOperationsMax = 512;
inline constexpr std::size_t kBatchBytesMax = 256 * 1024;
inline constexpr std::size_t kOperationBytesMax = 1024 * 1024;

/// Turns concurrent commits into log entries and log entries back into results. Operations that
/// wait together travel together. A proposal that may have been lost is made again under the same
/// numbers, which the session rows of the applied state make harmless: no more numbers are on the
/// way at once than a session tells apart (state::kSessionWindow), so a repeated one is never taken
/// for an old one. No I/O; strand of the consensus component.
class CommitQueue {
 public:
    struct Waiter {
        explicit Waiter(asio::any_io_executor executor) : done(std::move(executor)) {}
        state::LoggedOperation operation;
        std::size_t size_bytes = 0;
        SteadyTime deadline{};
        bool proposed = false;
        std::optional<Result<component::CommitResult>> result;
        Signal done;
    };
    using WaiterPtr = std::shared_ptr<Waiter>;

    /// `origin` names this start of this peer: 16 random bytes.
    CommitQueue(asio::any_io_executor executor, Bytes origin, Duration retry_after);

    /// `unavailable` when full, `invalid` when too large. Its id is given to the operation later.
    Result<WaiterPtr> add(state::LoggedOperation operation, SteadyTime deadline);

    /// Who leads; `here`: this peer.
    struct Leadership {
        NodeId leader = 0;
        std::uint64_t term = 0;
        bool here = false;
    };
    /// Gives `propose` what has to be proposed now: new batches, those whose leader changed, and,
    /// unless this peer leads and has them in its log, those that got no answer for `retry_after`.
    /// Stops when `propose` answers false.
    void propose(const Leadership& under, SteadyTime now,
                 const std::function<bool(BytesView)>& propose);
    /// True when `propose` would form a new batch.
    bool has_new() const;
    /// Resolves ours among the operations of an applied entry.
    void applied(const std::vector<state::LoggedOperation>& operations,
                 const std::vector<state::ApplyResult>& results);
    /// The caller waits no longer: what was never proposed will not be. False when it was.
    bool give_up(const WaiterPtr& waiter);
    /// Resolves what has waited too long.
    void expire(SteadyTime now);
    /// Resolves everything: what was proposed as unknown, the rest as `why`.
    void fail_all(const Error& why);
    std::size_t pending() const { return queue_.size() + proposed_.size(); }

 private:
    struct ProposedBatch {
        Bytes data;
        std::vector<std::uint64_t> sequences;
        NodeId leader = 0;
        std::uint64_t term = 0;
        SteadyTime at{};
        bool sent = false;
    };
    ProposedBatch next_batch();
    /// Takes operations that have their result out of a batch that was never given away.
    void drop_resolved(ProposedBatch& batch);
    void drop_resolved_unsent();
    void resolve(Waiter& waiter, Result<component::CommitResult> result);
    bool alive(const ProposedBatch& batch) const;

    asio::any_io_executor executor_;
    Bytes origin_;
    Duration retry_after_;
    std::uint64_t next_sequence_ = 1;
    std::size_t pending_bytes_ = 0;  ///< of operations without a result
    std::deque<WaiterPtr> queue_;
    std::map<std::uint64_t, WaiterPtr> proposed_;
    std::deque<ProposedBatch> batches_;
};

}  // namespace ipfscluster::raft
