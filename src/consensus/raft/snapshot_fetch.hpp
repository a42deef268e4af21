#pragma once
#include <functional>
#include <optional>

#include "consensus/raft/greeter.hpp"
#include "consensus/raft/options.hpp"
#include "consensus/raft/snapshots.hpp"
#include "runtime/task_group.hpp"

namespace ipfscluster::raft {

/// A MsgSnapshot that waits until what it names is here.
struct SnapshotOffer {
    PeerId from;
    MessageInfo info;
    Bytes message;
};

/// A follower's side of snapshots. An offer is not for the engine before its rows are staged:
/// offered → fetching → fetched → taken by the engine, or dropped by it. One transfer at a time;
/// of the offers that come meanwhile the newest is kept, and ends a transfer that stands still or
/// another leader's. After the switch it has the pinsets before and after compared. Owned by the
/// consensus component, on its strand. A transfer that fails is offered again by the leader; a
/// snapshot above this build's feature level ends the component.
class SnapshotFetch {
 public:
    using Deliver = std::function<void(Bytes message)>;
    SnapshotFetch(World& world, net::Host& host, state::State& state, const LogStore& log,
                  const Roster& roster, Life& life, TaskGroup& tasks, const RaftOptions& options,
                  Deliver deliver);

    void offer(SnapshotOffer offer);
    /// Of what is staged and waits for the engine; empty: nothing.
    Bytes token() const { return fetched_ ? fetched_->token : Bytes{}; }
    /// The engine installs it.
    Result<FetchedSnapshot> take(const SnapshotMeta& snapshot);
    /// The engine has seen the message that offers it by now; what is still here it did not want.
    void seen(const Bytes& token);
    /// Compares the pinsets of before and after, should there be something to compare.
    void reconcile();

 private:
    void start(SnapshotOffer offer);
    asio::awaitable<void> run();
    bool supersedes(const SnapshotOffer& offer) const;
    Async<> wait_superseded();
    bool level_suffices(const FetchedSnapshot& fetched);
    asio::awaitable<void> run_reconcile();

    World& world_;
    net::Host& host_;
    state::State& state_;
    const LogStore& log_;
    const Roster& roster_;
    Life& life_;
    TaskGroup& tasks_;
    const RaftOptions& options_;
    Deliver deliver_;
    std::optional<FetchedSnapshot> fetched_;
    std::optional<SnapshotOffer> fetching_;  ///< the offer whose rows are being fetched
    FetchProgress progress_;                 ///< of the transfer under way or the last one
    std::optional<SnapshotOffer> next_;      ///< the newest other one meanwhile
    Signal other_offer_;
    bool reconciling_ = false;
};

}  // namespace ipfscluster::raft
