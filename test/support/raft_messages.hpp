#pragma once
#include <cstdint>
#include <vector>

#include "base/encoding.hpp"
#include "base/varint.hpp"
#include "consensus/raft/types.hpp"

namespace ipfscluster::test {

/// eraftpb.MessageType, as far as tests say it.
enum class RaftType : std::uint32_t {
    propose = 2,
    append = 3,
    append_response = 4,
    vote = 5,
    snapshot = 7,
    heartbeat = 8,
    transfer_leader = 13,
    timeout_now = 14,
    read_index = 15,
    pre_vote = 17,
};

/// An eraftpb.Message of which every field can be chosen, also what no engine would say.
struct RaftMessage {
    RaftType type = RaftType::heartbeat;
    raft::NodeId to = 0;
    raft::NodeId from = 0;
    std::uint64_t term = 0;
    std::uint64_t log_term = 0;
    std::uint64_t index = 0;
    std::uint64_t commit = 0;
    bool reject = false;
    std::uint64_t reject_hint = 0;
    std::vector<raft::LogEntry> entries;
    raft::SnapshotMeta snapshot;  ///< index 0: none
    std::int64_t priority = 0;

    Bytes encode() const {
        Bytes out;
        number(out, 1, static_cast<std::uint64_t>(type));
        number(out, 2, to);
        number(out, 3, from);
        number(out, 4, term);
        number(out, 5, log_term);
        number(out, 6, index);
        for (const auto& entry : entries) {
            Bytes row;
            number(row, 1, static_cast<std::uint64_t>(entry.type));
            number(row, 2, entry.term);
            number(row, 3, entry.index);
            text(row, 4, entry.data);
            text(out, 7, row);
        }
        number(out, 8, commit);
        if (snapshot.at.index != 0) text(out, 9, encode_snapshot());
        number(out, 10, reject ? 1 : 0);
        number(out, 11, reject_hint);
        number(out, 16, static_cast<std::uint64_t>(priority));
        return out;
    }

    Bytes encode_snapshot() const {
        Bytes metadata;
        text(metadata, 1, snapshot.conf_state);
        number(metadata, 2, snapshot.at.index);
        number(metadata, 3, snapshot.at.term);
        Bytes out;
        text(out, 1, snapshot.token);
        text(out, 2, metadata);
        return out;
    }
    static void number(Bytes& out, std::uint32_t field, std::uint64_t value) {
        if (value == 0) return;
        put_uvarint(out, std::uint64_t{field} << 3);
        put_uvarint(out, value);
    }
    static void text(Bytes& out, std::uint32_t field, BytesView value) {
        put_uvarint(out, std::uint64_t{field} << 3 | 2);
        put_uvarint(out, value.size());
        out.append(value);
    }
};

}  // namespace ipfscluster::test
