#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"

namespace ipfscluster::raft {

/// A member's number in the log: a hash of its peer id and its incarnation (identity.hpp). 0:
/// nobody.
using NodeId = std::uint64_t;

/// The numbers are those of the stored log and of the wire.
enum class EntryType : std::uint8_t { normal = 0, change_v1 = 1, change = 2 };
enum class Role : std::uint8_t { follower = 0, candidate = 1, leader = 2, pre_candidate = 3 };
enum class ChangeOp : std::uint8_t { add_voter = 0, remove = 1, add_learner = 2 };

struct LogEntry {
    std::uint64_t index = 0;
    std::uint64_t term = 0;
    EntryType type = EntryType::normal;
    Bytes data;
    friend bool operator==(const LogEntry&, const LogEntry&) = default;
};

/// What a node must never forget: its term, whom it voted for in it, and how far it knows to be
/// committed.
struct HardState {
    std::uint64_t term = 0;
    NodeId vote = 0;
    std::uint64_t commit = 0;
    friend bool operator==(const HardState&, const HardState&) = default;
};

/// A place in the log.
struct Position {
    std::uint64_t index = 0;
    std::uint64_t term = 0;
    friend bool operator==(const Position&, const Position&) = default;
};

/// A snapshot as the engine sees it: where it stands, who was a member there, and where to fetch
/// it.
struct SnapshotMeta {
    Position at;
    Bytes conf_state;
    Bytes token;
};

/// An encoded engine message on its way to another node.
struct OutMessage {
    NodeId to = 0;
    std::uint32_t type = 0;      ///< eraftpb.MessageType, for logs
    bool after_persist = false;  ///< only after the round is persisted
    Position snapshot;           ///< index 0: not a snapshot message
    Bytes token;
    Bytes bytes;
};

/// A linearizable read may go on once `index` is applied.
struct ReadState {
    std::uint64_t index = 0;
    Bytes request;
};

/// One round of work from the engine. Order of handling: see Engine.
struct Ready {
    std::optional<HardState> hard_state;
    bool must_sync = false;
    std::optional<SnapshotMeta> snapshot;
    std::vector<LogEntry> entries;
    std::vector<OutMessage> messages;
    std::vector<LogEntry> committed;
    std::vector<ReadState> read_states;
};

struct Member {
    NodeId id = 0;
    bool learner = false;
    friend bool operator==(const Member&, const Member&) = default;
};

struct Progress {
    NodeId id = 0;
    std::uint64_t matched = 0;
    std::uint64_t pending_snapshot = 0;
    bool learner = false;
    bool recent_active = false;
    bool in_snapshot = false;
};

struct EngineStatus {
    Role role = Role::follower;
    NodeId id = 0;
    std::uint64_t term = 0;
    NodeId leader = 0;  ///< 0: unknown
    std::uint64_t commit = 0;
    std::uint64_t applied = 0;
    std::uint64_t last_index = 0;
    NodeId transferee = 0;
    bool voter = false;
    bool pending_change = false;
    std::uint32_t election_timeout_ticks = 0;
};

/// What applying a committed membership change gives.
struct AppliedChange {
    struct Single {
        ChangeOp op;
        NodeId id;
    };
    std::vector<Single> changes;
    Bytes context;
    Bytes conf_state;
    bool removed_self = false;  ///< the engine has ended; nothing more may be asked of it
};

}  // namespace ipfscluster::raft
