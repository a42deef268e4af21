#pragma once
#include <memory>

#include "base/result.hpp"
#include "consensus/raft/types.hpp"

namespace ipfscluster::raft {

/// Appends on their way to one follower. Twice a round trip's worth on any link we expect, as what
/// waits meanwhile goes together; and what a link holds (links.hpp) has to take all of them, or the
/// rest is read, sent and dropped again at every answer.
inline constexpr std::uint32_t kInflightMax = 16;

/// A message's term may be so far ahead of ours (soundness.rs says why).
inline constexpr std::uint64_t kTermJumpMax = std::uint64_t{1} << 32;

/// How the engine reads the log. Called from inside engine calls: must not call the engine.
class LogReader {
 public:
    virtual ~LogReader() = default;
    /// Compacted index + 1.
    virtual std::uint64_t first_index() const = 0;
    /// The compacted index when the log is empty.
    virtual std::uint64_t last_index() const = 0;
    /// `not_found` below the compacted index, `unavailable` beyond the end, `corrupt` otherwise.
    virtual Result<std::uint64_t> term(std::uint64_t index) const = 0;
    /// Entries [low, high), at least one, until `bytes_max` of data are reached. Errors as for
    /// term.
    virtual Result<std::vector<LogEntry>> entries(std::uint64_t low, std::uint64_t high,
                                                  std::uint64_t bytes_max) const = 0;
    /// A snapshot for `to` at `request_index` or later; `retryable` while it is being prepared.
    virtual Result<SnapshotMeta> snapshot(std::uint64_t request_index, NodeId to) = 0;
};

inline constexpr std::uint64_t kMessageBytesMax = 256 * 1024;

struct EngineConfig {
    NodeId id = 0;
    HardState hard_state;
    std::uint64_t applied = 0;
    Bytes conf_state;  ///< empty: a node that waits to be added
    std::uint32_t election_ticks = 10;
    std::uint32_t heartbeat_ticks = 2;
    std::uint64_t message_bytes_max = kMessageBytesMax;
    std::uint64_t committed_bytes_max = 1024 * 1024;
    std::uint64_t uncommitted_bytes_max = 64 * 1024 * 1024;
    std::uint32_t inflight_max = kInflightMax;
    /// Election timeouts are drawn from this; the same seed and calls give the same run.
    std::uint64_t jitter_seed = 0;
};

/// The consensus algorithm (raft-rs) without I/O, time or threads. One round:
/// `poll` → send messages that need not wait → persist hard state, entries, snapshot (synced if
/// `must_sync`) → send the others → `advance` → apply what both reported as committed → `applied`.
/// Between poll and advance every other changing call answers `conflict`.
/// After `internal` (the engine broke an invariant) or removal every call answers `shutting_down`:
/// the owner must fail and restart from disk. Owned by the driver, used on its strand only.
class Engine {
 public:
    /// `log` outlives the engine. `invalid` names what contradicts itself.
    static Result<std::unique_ptr<Engine>> make(const EngineConfig& config, LogReader& log);
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    Result<> tick();
    Result<> campaign();
    /// A message of another node. `corrupt` when it does not decode or says what no engine would
    /// (soundness.rs): nothing has happened then.
    Result<> step(BytesView message);
    /// `retryable` when nobody leads or the leader is busy. Success is no promise: see the caller's
    /// session.
    Result<> propose(BytesView data);
    /// `conflict` when it would remove the leader.
    Result<> propose_change(ChangeOp op, NodeId id, BytesView context);
    Result<> read_index(BytesView request);
    Result<> transfer_leader(NodeId to);
    Result<> report_unreachable(NodeId id);
    Result<> report_snapshot(NodeId id, bool good);

    /// Nothing when there is nothing to do.
    Result<std::optional<Ready>> poll();
    /// A new commit index comes as hard state and has to be stored before or with what is applied.
    Result<Ready> advance();
    Result<> applied(std::uint64_t index);
    /// For every committed entry that is not normal, in order, unless all members reject it alike.
    Result<AppliedChange> apply_change(const LogEntry& entry);

    Result<EngineStatus> status() const;
    Result<std::vector<Progress>> progress() const;

 private:
    struct Impl;
    explicit Engine(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// What went wrong is logged and borne; fails when the engine can no longer be used.
Result<> tolerate(const Result<>& outcome, const char* what);

/// What a membership entry asks for; nothing is applied, `conf_state` stays empty.
Result<AppliedChange> read_change(const LogEntry& entry);

/// Encodes a configuration without a change under way.
Bytes make_conf_state(const std::vector<NodeId>& voters, const std::vector<NodeId>& learners);
/// Members in the order of their ids, voters first. `corrupt` on other bytes.
Result<std::vector<Member>> read_conf_state(BytesView conf_state);

/// What the envelope of an encoded message says.
struct MessageInfo {
    NodeId to = 0;
    NodeId from = 0;
    std::uint64_t term = 0;
    std::uint32_t type = 0;
    Position snapshot;  ///< index 0: not a snapshot message
    Bytes token;
    std::uint64_t index = 0;        ///< of an answer to an append: what it takes or refuses
    std::uint64_t commit = 0;       ///< of a heartbeat: the receiver has acknowledged this far
    std::uint64_t reject_hint = 0;  ///< of a refused append: how far the logs may agree at most
    bool reject = false;
};
Result<MessageInfo> read_message(BytesView message);
/// The entries that it carries.
Result<std::vector<LogEntry>> read_entries(BytesView message);

}  // namespace ipfscluster::raft
