#pragma once
#include <deque>
#include <functional>

#include "consensus/raft/cluster_facts.hpp"
#include "consensus/raft/engine.hpp"
#include "consensus/raft/identity.hpp"
#include "consensus/raft/log_bytes.hpp"
#include "storage/store.hpp"

namespace ipfscluster::raft {

/// Entries kept in memory behind the end of the log: what followers that keep up ask for.
inline constexpr std::size_t kTailEntriesMax = 1024;
inline constexpr std::size_t kTailBytesMax = 2 * 1024 * 1024;

/// The log and what belongs to it in the peer's database (families raft_log and raft_meta; the
/// layout is in README.md). Changes are added to a batch and become visible here at once, so the
/// caller must write each batch, in order, before anything else reads the store; if a write fails
/// the component must fail. Owned by the consensus component; its strand.
class LogStore final : public LogReader {
 public:
    using SnapshotMaker =
        std::function<Result<SnapshotMeta>(std::uint64_t request_index, NodeId to)>;

    explicit LogStore(storage::Store& store) : store_(store) {}

    /// Reads what is stored; `corrupt` names the row that contradicts itself.
    Result<> open();

    // Identity of this data.
    /// False: nothing was ever founded or joined with this database.
    bool has_identity() const { return !incarnation_.empty(); }
    const Bytes& incarnation() const { return incarnation_; }
    /// Empty until the cluster is known.
    const Bytes& cluster_id() const { return cluster_id_; }
    void set_identity(storage::Batch& batch, Bytes incarnation);
    void set_cluster_id(storage::Batch& batch, Bytes cluster_id);
    /// Writes the state every founder starts from: a snapshot at index 1, term 1, that carries the
    /// members.
    void found(storage::Batch& batch, const NodeTable& founders);
    /// Digest of the pinset that was imported and that the next founding begins with; empty without
    /// one.
    const Bytes& imported() const { return imported_; }
    /// Joining a cluster that exists: its pinset replaces the imported one.
    void forget_import(storage::Batch& batch);
    /// Adds what an offline import writes beside the pinset: nothing of consensus is left but the
    /// digest. The store must not be in use by a LogStore.
    static void prepare_import(storage::Batch& batch, BytesView digest);
    /// Founders whose first message has been accepted here (see founding.hpp).
    bool has_seen(NodeId id);
    void set_seen(storage::Batch& batch, NodeId id);

    // Positions.
    const HardState& hard_state() const { return hard_state_; }
    Position applied() const { return applied_; }
    Position compacted() const { return compacted_; }
    /// Bytes of the entries held.
    const LogBytes& bytes() const { return bytes_; }
    const Bytes& conf_state() const { return conf_state_; }
    const std::vector<Member>& members() const { return members_; }
    const NodeTable& nodes() const { return nodes_; }
    /// A node that an entry adds which is not applied yet.
    struct Addition {
        NodeId node = 0;
        PeerId peer;
    };
    /// By the index of the entry.
    const std::map<std::uint64_t, Addition>& additions_ahead() const { return additions_ahead_; }
    /// Whether a node of the peer is a member, at this place of the log.
    bool has_member(const PeerId& peer) const;
    const ClusterFacts& facts() const { return facts_; }
    /// Batches of this component that were written with a sync, ever: see Floor.
    std::uint64_t rounds() const { return rounds_; }
    /// The first stored entry that could not be read, or that was missing; empty: none.
    const std::string& damage() const { return damage_; }

    // Changes.
    void set_hard_state(storage::Batch& batch, const HardState& state);
    /// The batch will be synced.
    void count_round(storage::Batch& batch);
    /// Replaces everything from the first entry's index on.
    void append(storage::Batch& batch, const std::vector<LogEntry>& entries);
    /// `hard.commit` is raised to the applied index: a node must not start with applied > commit.
    void set_applied(storage::Batch& batch, Position applied);
    Result<> set_conf_state(storage::Batch& batch, Bytes conf_state);
    void set_node(storage::Batch& batch, NodeId id, NodeRecord record);
    void raise_feature_level(storage::Batch& batch, std::uint32_t level) {
        facts_.raise_feature_level(batch, level);
    }
    /// What was told about a member; false: it is none.
    bool set_cordon(storage::Batch& batch, const CordonFact& fact);
    /// Takes back what was told about a peer that is no member any more.
    void forget_facts_of(storage::Batch& batch, const PeerId& peer);
    /// Replaces the log by a snapshot.
    Result<> install(storage::Batch& batch, const SnapshotMeta& snapshot, const NodeTable& nodes,
                     ClusterFacts facts);
    /// Drops entries up to `index`, which is applied; the store has been synced since it was.
    Result<> compact(storage::Batch& batch, std::uint64_t index);
    /// Removes everything of consensus from the store.
    static void wipe(storage::Batch& batch);

    void on_snapshot(SnapshotMaker maker) { snapshot_maker_ = std::move(maker); }

    // LogReader
    std::uint64_t first_index() const override { return compacted_.index + 1; }
    std::uint64_t last_index() const override { return last_index_; }
    Result<std::uint64_t> term(std::uint64_t index) const override;
    Result<std::vector<LogEntry>> entries(std::uint64_t low, std::uint64_t high,
                                          std::uint64_t bytes_max) const override;
    Result<SnapshotMeta> snapshot(std::uint64_t request_index, NodeId to) override;

 private:
    Result<> load_meta();
    Result<> load_log_end();
    Result<> load_log_bytes();
    void note_addition(const LogEntry& entry);
    Result<LogEntry> stored_entry(std::uint64_t index) const;
    Result<LogEntry> read_entry(std::uint64_t index) const;
    void push_tail(const LogEntry& entry);
    void cut_tail(std::uint64_t from);

    storage::Store& store_;
    Bytes incarnation_;
    Bytes cluster_id_;
    Bytes imported_;
    HardState hard_state_;
    Position applied_;
    Position compacted_;
    std::uint64_t last_index_ = 0;
    std::uint64_t rounds_ = 0;
    mutable std::string damage_;
    Bytes conf_state_;
    std::vector<Member> members_;
    NodeTable nodes_;
    ClusterFacts facts_;
    std::deque<LogEntry> tail_;  ///< contiguous, ends at last_index_
    std::size_t tail_bytes_ = 0;
    LogBytes bytes_;
    std::map<std::uint64_t, Addition> additions_ahead_;
    SnapshotMaker snapshot_maker_;
};

}  // namespace ipfscluster::raft
