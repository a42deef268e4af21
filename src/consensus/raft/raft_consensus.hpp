#pragma once
#include "component/consensus.hpp"
#include "consensus/raft/founding.hpp"
#include "consensus/raft/streams.hpp"

namespace ipfscluster::raft {

/// What tests and metrics look at.
struct RaftStatus {
    EngineStatus engine;
    Position compacted;
    std::size_t pending_commits = 0;
    std::size_t open_snapshots = 0;  ///< promised to followers
    bool running = false;
    std::uint32_t feature_level = 0;  ///< in force, as far as the log is applied here
    // What belongs to single nodes and ends with them.
    std::size_t links = 0;
    std::size_t streams = 0;  ///< that others have open to us
    std::size_t contacts = 0;
    std::size_t tasks = 0;
    std::uint64_t given_bytes = 0;  ///< of messages to others, dropped ones included
};

/// Consensus by Raft over the peer's database and network (README.md): puts the parts together,
/// starts and stops them. Made and owned by main after the store, the state and the host, which
/// outlive it; `stop` before destroying it. One strand.
class RaftConsensus final : public component::Consensus {
 public:
    RaftConsensus(World& world, net::Host& host, storage::Store& store, state::State& state,
                  RaftOptions options);
    ~RaftConsensus() override;

    /// Reads the stored log; `corrupt` when it contradicts itself, `conflict` when it says that
    /// this peer was removed. Founding or joining goes on behind.
    Async<> start() override;
    Async<component::CommitResult> commit(PinOperation operation) override;
    Async<> barrier(Duration limit) override { return driver_.barrier(limit); }
    bool strong_reads() const override { return true; }
    std::vector<PeerId> peers() override { return roster_.peers(); }
    std::vector<PeerId> known() override { return peers(); }
    component::Standing standing(const PeerId& peer) override;
    std::vector<PeerId> voters() override { return roster_.voters(); }
    bool may_act() override;
    std::optional<std::size_t> rank(const Cid& cid) override;
    Async<> add_peer(PeerId peer) override { return changes_.add(std::move(peer)); }
    Async<> remove_peer(PeerId peer) override { return changes_.remove(std::move(peer)); }
    Result<> trusted(const PeerId& peer) override;
    PeerId best_informed() override;
    component::Cordon cordon(const PeerId& peer) override { return log_.facts().cordon(peer); }
    std::vector<std::pair<PeerId, component::Cordon>> cordons() override;
    void on_cordons(std::function<void()> listener) override {
        applied_.on_cordons(std::move(listener));
    }
    Async<> set_cordon(PeerId peer, component::Cordon cordon) override;
    Async<> wait_ready(Duration limit) override;
    bool ready() override;
    bool complete() override { return ready(); }
    std::string hindrance() override { return life_.hindrance(); }
    asio::awaitable<Error> wait_ended() override;
    /// The members agreed that this peer is none of them any more: its removal was applied here, is
    /// in its records, or a member said so.
    bool removed() const override { return life_.removed(); }
    /// Why this peer's data is not all that it had on the disk; empty: it is. Then `start` failed
    /// with `corrupt`, or the component has ended, and under its node id nothing may be said again
    /// unless somebody accepts the loss (`FloorFile::remove`).
    const std::string& loss() const { return life_.loss(); }
    Async<> stop() override;

    RaftStatus status() const;
    const LogStore& log() const { return log_; }
    /// Hands leadership over; nothing happens when `to` is no voter or we do not lead.
    void transfer_leadership(const PeerId& to);

 private:
    Result<> look_for_loss();
    Result<> run();
    asio::awaitable<void> found_or_join();
    Async<> found_or_join_now();
    asio::awaitable<void> run_commit_limits();
    Async<component::CommitResult> commit_logged(state::LoggedOperation operation);
    LinkEvents link_events();
    /// Ends what was kept for a node that is no member any more.
    void forget_node(NodeId id);

    World& world_;
    net::Host& host_;
    RaftOptions options_;
    LogStore log_;
    Bytes origin_;  ///< names this start of this peer
    bool ready_ = false;
    TaskGroup tasks_;

    Life life_;
    Roster roster_;
    CommitQueue commits_;
    Links links_;
    SnapshotLeases leases_;
    SnapshotOffers offers_;
    SnapshotFetch fetch_;
    Applied applied_;
    Driver driver_;
    LeaderDuties duties_;
    LossWatch loss_watch_;
    Greeter greeter_;
    Vouching vouching_;
    Lookout lookout_;
    MemberChanges changes_;
    Streams streams_;
    Founding founding_;
};

}  // namespace ipfscluster::raft
