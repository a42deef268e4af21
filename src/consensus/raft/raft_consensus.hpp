#pragma once
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>

#include "component/consensus.hpp"
#include "consensus/raft/commit_queue.hpp"
#include "consensus/raft/contacts.hpp"
#include "consensus/raft/level_raise.hpp"
#include "consensus/raft/links.hpp"
#include "consensus/raft/log_store.hpp"
#include "consensus/raft/options.hpp"
#include "consensus/raft/read_rounds.hpp"
#include "consensus/raft/snapshots.hpp"
#include "consensus/raft/stream_places.hpp"
#include "net/host.hpp"
#include "runtime/task_group.hpp"
#include "state/state.hpp"

namespace ipfscluster::raft {

/// Bytes of received messages waiting for the driver; readers pause beyond it.
inline constexpr std::size_t kInboxBytesMax = 8 * 1024 * 1024;
/// Peers without their data that are being added again at once; more are told to come later.
inline constexpr std::size_t kAddedAgainMax = 16;
/// Entries up to which a learner may lag and still be made a voter.
inline constexpr std::uint64_t kCaughtUpEntries = 64;

/// What a follower that is being sent a snapshot will need next stays in the log beyond its usual
/// length, but no more than this many times that length in entries and bytes, and no longer than
/// this after it last took something.
inline constexpr std::uint64_t kCompactionHoldFactor = 4;
inline constexpr Duration kCompactionHoldMax = std::chrono::minutes(10);

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

/// Consensus by Raft over the peer's database and network (README.md). Made and owned by main after
/// the store, the state and the host, which outlive it; `stop` before destroying it. One strand.
class RaftConsensus final : public component::Consensus {
 public:
    RaftConsensus(World& world, net::Host& host, storage::Store& store, state::State& state,
                  RaftOptions options);
    ~RaftConsensus() override;

    /// Reads the stored log; `corrupt` when it contradicts itself, `conflict` when it says that
    /// this peer was removed. Founding or joining goes on behind.
    Async<> start() override;
    Async<component::CommitResult> commit(PinOperation operation) override;
    Async<> barrier(Duration limit) override;
    bool strong_reads() const override { return true; }
    std::vector<PeerId> peers() override;
    std::vector<PeerId> known() override { return peers(); }
    component::Standing standing(const PeerId& peer) override;
    std::vector<PeerId> voters() override;
    bool may_act() override;
    std::optional<std::size_t> rank(const Cid& cid) override;
    Async<> add_peer(PeerId peer) override;
    Async<> remove_peer(PeerId peer) override;
    bool is_trusted(const PeerId& peer) override;
    component::Cordon cordon(const PeerId& peer) override { return log_.facts().cordon(peer); }
    std::vector<std::pair<PeerId, component::Cordon>> cordons() override;
    void on_cordons(std::function<void()> listener) override {
        cordons_listener_ = std::move(listener);
    }
    Async<> set_cordon(PeerId peer, component::Cordon cordon) override;
    Async<> wait_ready(Duration limit) override;
    bool ready() override;
    bool complete() override { return ready(); }
    std::string hindrance() override { return hindrance_; }
    asio::awaitable<Error> wait_ended() override;
    /// The members agreed that this peer is none of them any more: its removal was applied here, is
    /// in its records, or a member said so.
    bool removed() const override { return removed_; }
    /// Why this peer's data is not all that it had on the disk; empty: it is. Then `start` failed
    /// with `corrupt`, or the component has ended, and under its node id nothing may be said again
    /// unless somebody accepts the loss (`FloorFile::remove`).
    const std::string& loss() const { return loss_; }
    Async<> stop() override;

    RaftStatus status() const;
    const LogStore& log() const { return log_; }
    /// Hands leadership over; nothing happens when `to` is no voter or we do not lead.
    void transfer_leadership(const PeerId& to);

 private:
    /// A follower that was promised a snapshot and has not caught up since.
    struct CatchUp {
        std::uint64_t from = 0;  ///< index of the snapshot
        SteadyTime since{};      ///< it last took rows of it
    };
    struct Shrunk {
        std::uint64_t term = 0;
        SteadyTime since{};
        bool certain = false;
    };
    /// A MsgSnapshot that waits until what it names is here.
    struct SnapshotOffer {
        PeerId from;
        MessageInfo info;
        Bytes message;
    };

    // raft_consensus.cpp: life
    Result<> look_for_loss();
    Result<> start_engine();
    bool is_member() const;
    Result<> check_running() const;
    void end_with(Error why);
    void end_removed(Error why);
    asio::awaitable<void> run_commit_limits();
    Async<component::CommitResult> commit_logged(state::LoggedOperation operation);
    Async<> wait_change(SteadyTime deadline);
    PeerId peer_of(NodeId id) const;
    Hello hello(Purpose purpose, NodeId wanted = 0) const;

    // founding.cpp
    asio::awaitable<void> found_or_join();
    Async<> found_or_join_now();
    // True: the cluster knows us, join it anew; false: found.
    Async<bool> ask_founders(std::vector<PeerId> others);
    Async<bool> ask_before_founding_alone(bool told_to_found);
    /// Takes effect when it begins or ends (empty) and is logged then.
    void hindered_by(std::string why);
    /// What remembered members and peers of the peerstore that are no founders say of us; `silent`:
    /// not all answered.
    enum class KnownPeersSay { remembered, unknown, silent };
    Async<KnownPeersSay> ask_known_peers();
    std::vector<PeerId> other_known_peers() const;
    Async<> found(std::vector<PeerId> founders);
    Async<> become_newcomer();
    Async<> ask_to_join();

    // driver.cpp: rounds
    asio::awaitable<void> run();
    asio::awaitable<void> run_ticks();
    asio::awaitable<void> run_disk_watch();
    asio::awaitable<void> run_lookout();
    PeerId next_to_ask();
    Async<> drive();
    bool has_work() const;
    Result<> take_input();
    Result<> tick();
    Result<> tend_level();
    Result<> tolerate(const Result<>& outcome, const char* what);
    Async<bool> round();
    Async<> persist(storage::Batch batch, bool sync);
    Result<> install(storage::Batch& batch, const SnapshotMeta& snapshot);
    Result<> apply(std::vector<LogEntry> committed, const std::optional<HardState>& hard_state);
    Result<> apply_facts(storage::Batch& batch,
                         const std::vector<state::LoggedOperation>& operations,
                         std::vector<state::ApplyResult>& results);
    void show_applied();
    Result<bool> apply_change(storage::Batch& batch, const LogEntry& entry);
    void send(std::vector<OutMessage>& messages, bool after_persist);
    Async<> compact_if_due();
    Result<std::uint64_t> still_needed(std::uint64_t usual);
    Result<std::optional<std::uint64_t>> compaction_target();
    Result<SnapshotMeta> promise_snapshot(std::uint64_t request_index, NodeId to);
    Result<> tend_snapshots(SteadyTime now);
    Result<> report_snapshot(Engine& engine, PromisedSnapshot promise, bool good);
    void refresh_status();
    void request(std::function<Result<>(Engine&)> work);

    // membership.cpp
    /// Asks the leader for the change, again and again, until it is `done`. `accepted` outlives the
    /// call and is set once a leader may have taken it.
    Async<> change_until(std::function<bool()> done, ChangeRequest change, std::string what,
                         bool* accepted);
    Async<> ask_leader(ChangeRequest change);
    /// `greet` as this node; ends the component when the member says that it was removed.
    Async<Greeted> greet_member(PeerId member, Purpose purpose, NodeId wanted = 0);
    Async<> propose_here(ChangeRequest change);
    NodeId successor_of(NodeId id) const;
    Async<> add_node(PeerId peer, NodeId id, std::uint32_t feature_level);
    /// Says no when the newcomer's build does not know what is in force.
    Result<> check_level(const PeerId& newcomer, std::uint32_t known) const;
    /// Until the level is in force; `unsupported` names the members that hold it back.
    Async<> wait_level(std::uint32_t level, std::string what);
    Async<> remove_nodes_of(PeerId peer);
    Async<> move_leadership_from(NodeId id);
    std::vector<NodeId> nodes_of(const PeerId& peer) const;
    void tend_members(Engine& engine);
    /// Ends what was kept for a node that is no member any more.
    void forget_node(NodeId id);
    asio::awaitable<void> end_streams_of(NodeId id);

    // serving.cpp: streams others open
    void accept(net::StreamPtr stream);
    asio::awaitable<void> serve(std::unique_ptr<FrameStream> stream, StreamPlaces::Place place);
    asio::awaitable<void> refuse(std::unique_ptr<FrameStream> stream, StreamPlaces::Place place);
    Async<> refuse_politely(FrameStream* stream);
    Async<> serve_checked(FrameStream* stream);
    Async<HelloReply> answer_hello(PeerId remote, Hello hello);
    Async<> serve_change(FrameStream* stream, NodeId from);
    Async<> receive_messages(FrameStream* stream, NodeId from);
    Async<> take_messages(FrameStream* stream, NodeId from);
    asio::awaitable<void> add_again(PeerId peer, NodeId node, std::uint32_t feature_level);
    bool knows(const PeerId& peer);

    // snapshots: fetching one
    void begin_fetch(SnapshotOffer offer);
    void start_fetch(SnapshotOffer offer);
    asio::awaitable<void> run_fetch();
    bool supersedes(const SnapshotOffer& offer) const;
    Async<> wait_superseded();
    bool hears_of_loss(const MessageInfo& info);
    bool shows_loss(const MessageInfo& info);
    bool has_lost(NodeId id) const;
    void take_message(Bytes message);
    asio::awaitable<void> run_reconcile();

    World& world_;
    net::Host& host_;
    storage::Store& store_;
    state::State& state_;
    RaftOptions options_;
    PeerId self_;

    LogStore log_;
    LogFloor floor_;
    NodeId node_id_ = 0;
    Bytes expected_cluster_id_;
    std::unique_ptr<Engine> engine_;
    EngineStatus status_;
    Bytes origin_;  ///< names this start of this peer
    CommitQueue commits_;
    ReadRounds reads_;
    LevelRaise level_raise_;
    /// What a reader of the state sees: the log may count as applied what is still being written.
    std::uint64_t visible_ = 0;
    std::uint64_t facts_told_ = 0;  ///< changes of the facts that the listener has heard of
    std::function<void()> cordons_listener_;
    TaskGroup tasks_;
    Links links_;
    SnapshotLeases leases_;
    std::map<NodeId, CatchUp> catching_up_;
    std::optional<FetchedSnapshot> fetched_;
    std::optional<SnapshotOffer> fetching_;    ///< the offer whose rows are being fetched
    FetchProgress fetch_;                      ///< of the transfer under way or the last one
    std::optional<SnapshotOffer> next_offer_;  ///< the newest other one meanwhile
    Signal other_offer_;
    bool reconciling_ = false;

    Signal wake_;     ///< the driver has work
    Signal changed_;  ///< applied index, leader, members or life changed
    Signal inbox_room_;
    std::deque<Bytes> inbox_;
    std::size_t inbox_bytes_ = 0;
    SteadyTime last_heard_{};  ///< when a message for this node came last
    PeerId last_asked_;        ///< whom the lookout asked last
    std::deque<std::function<Result<>(Engine&)>> requests_;
    bool tick_due_ = false;
    std::uint32_t patience_ = 1;         ///< ticks of ours per tick of a candidate
    std::uint32_t candidate_ticks_ = 0;  ///< while we are one
    bool proposals_wait_ = false;        ///< the engine takes none until the next tick
    bool ready_ = false;
    bool stopping_ = false;
    std::optional<Error> ended_;
    std::string hindrance_;
    std::string loss_;
    bool removed_ = false;
    std::map<NodeId, Shrunk> shrunk_;  ///< nodes that refuse appends they had acknowledged
    Contacts contacts_;
    StreamPlaces places_;
    std::multimap<NodeId, FrameStream*> talking_;  ///< streams on which nodes send us messages
    std::set<NodeId> added_again_;                 ///< nodes that are being added after a `join`
};

}  // namespace ipfscluster::raft
