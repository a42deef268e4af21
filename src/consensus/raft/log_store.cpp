#include "consensus/raft/log_store.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "base/planted.hpp"

namespace ipfscluster::raft {

using storage::Batch;
using storage::Family;

namespace {

constexpr std::string_view kHardState = "hard_state";
constexpr std::string_view kConfState = "conf_state";
constexpr std::string_view kApplied = "applied";
constexpr std::string_view kCompacted = "compacted";
constexpr std::string_view kClusterId = "cluster_id";
constexpr std::string_view kIncarnation = "incarnation";
constexpr std::string_view kImported = "imported";
constexpr std::string_view kRounds = "rounds";
constexpr std::string_view kNodePrefix = "node/";
constexpr std::string_view kSeenPrefix = "seen/";
constexpr std::size_t kEntryHeaderBytes = 9;

Bytes index_key(std::uint64_t index) {
    Bytes key;
    put_be64(key, index);
    return key;
}

Bytes node_key(std::string_view prefix, NodeId id) {
    Bytes key(prefix);
    put_be64(key, id);
    return key;
}

Bytes encode_position(Position at) {
    Bytes out;
    put_be64(out, at.index);
    put_be64(out, at.term);
    return out;
}

Result<Position> decode_position(std::string_view what, BytesView bytes) {
    if (bytes.size() != 16)
        return fail(Kind::corrupt, "raft_meta " + Bytes(what) + ": wrong length");
    return Position{get_be64(bytes), get_be64(bytes.substr(8))};
}

Bytes encode_hard_state(const HardState& state) {
    Bytes out;
    put_be64(out, state.term);
    put_be64(out, state.vote);
    put_be64(out, state.commit);
    return out;
}

Bytes encode_entry(const LogEntry& entry) {
    Bytes out;
    put_be64(out, entry.term);
    out.push_back(static_cast<char>(entry.type));
    out += entry.data;
    return out;
}

Result<LogEntry> decode_entry(std::uint64_t index, BytesView bytes) {
    if (bytes.size() < kEntryHeaderBytes || static_cast<std::uint8_t>(bytes[8]) > 2)
        return fail(Kind::corrupt, "raft_log: entry " + std::to_string(index) + " is damaged");
    return LogEntry{index, get_be64(bytes), static_cast<EntryType>(bytes[8]),
                    Bytes(bytes.substr(kEntryHeaderBytes))};
}

}  // namespace

Result<> LogStore::open() {
    ICL_TRY(load_meta());
    ICL_TRY(load_log_end());
    ICL_TRY(load_log_bytes());
    if (hard_state_.commit < applied_.index || applied_.index < compacted_.index ||
        last_index_ < hard_state_.commit)
        return fail(Kind::corrupt, "raft_meta: compacted " + std::to_string(compacted_.index) +
                                       ", applied " + std::to_string(applied_.index) + ", commit " +
                                       std::to_string(hard_state_.commit) + " and last entry " +
                                       std::to_string(last_index_) + " contradict each other");
    return ok();
}

Result<> LogStore::load_meta() {
    auto it = store_.iterate(Family::raft_meta, {}, {});
    while (true) {
        ICL_TRY(auto more, it->next());
        if (!more) break;
        const auto key = it->key();
        const auto value = it->value();
        if (key == kHardState) {
            if (value.size() != 24)
                return fail(Kind::corrupt, "raft_meta hard_state: wrong length");
            hard_state_ = {get_be64(value), get_be64(value.substr(8)), get_be64(value.substr(16))};
        } else if (key == kConfState) {
            conf_state_ = Bytes(value);
            ICL_TRY(auto members, read_conf_state(conf_state_));
            members_ = std::move(members);
        } else if (key == kApplied) {
            ICL_TRY(auto at, decode_position(key, value));
            applied_ = at;
        } else if (key == kCompacted) {
            ICL_TRY(auto at, decode_position(key, value));
            compacted_ = at;
        } else if (key == kRounds) {
            if (value.size() != 8) return fail(Kind::corrupt, "raft_meta rounds: wrong length");
            rounds_ = get_be64(value);
        } else if (key == kClusterId) {
            cluster_id_ = Bytes(value);
        } else if (key == kImported) {
            imported_ = Bytes(value);
        } else if (key == kIncarnation) {
            incarnation_ = Bytes(value);
        } else if (key.starts_with(kNodePrefix) && key.size() == kNodePrefix.size() + 8) {
            ICL_TRY(auto record, decode_node_record(value));
            nodes_[get_be64(key.substr(kNodePrefix.size()))] = std::move(record);
        } else {
            ICL_TRY(const bool fact, facts_.load(key, value));
            static_cast<void>(fact);
        }
    }
    return ok();
}

Result<> LogStore::load_log_end() {
    // Entries are contiguous: doubling steps and halving find the end without reading the log.
    last_index_ = compacted_.index;
    auto stored = [this](std::uint64_t index) {
        return store_.get(Family::raft_log, index_key(index));
    };
    std::uint64_t low = compacted_.index;
    std::uint64_t step = 1;
    while (true) {
        ICL_TRY(auto found, stored(low + step));
        if (!found) break;
        low += step;
        step *= 2;
    }
    std::uint64_t high = low + step;
    while (high - low > 1) {
        const auto middle = low + (high - low) / 2;
        ICL_TRY(auto found, stored(middle));
        (found ? low : high) = middle;
    }
    last_index_ = low;
    return ok();
}

/// Reads all of the log, which its bound in bytes keeps short.
Result<> LogStore::load_log_bytes() {
    auto rows = store_.iterate(Family::raft_log, index_key(compacted_.index + 1),
                               index_key(last_index_ + 1));
    while (true) {
        ICL_TRY(const auto more, rows->next());
        if (!more) return ok();
        if (rows->key().size() != 8) return fail(Kind::corrupt, "raft_log: a key is damaged");
        const auto index = get_be64(rows->key());
        bytes_.append(index, rows->value().size());
        if (index <= applied_.index) continue;
        // What cannot be read is noticed when the engine asks for it.
        if (const auto entry = decode_entry(index, rows->value())) note_addition(entry.value());
    }
}

void LogStore::note_addition(const LogEntry& entry) {
    if (entry.type == EntryType::normal) return;
    const auto change = read_change(entry);
    if (!change) return;
    auto peer = PeerId::from_bytes(change.value().context);
    if (!peer) return;
    for (const auto& single : change.value().changes)
        if (single.op != ChangeOp::remove)
            additions_ahead_[entry.index] = {single.id, peer.value()};
}

void LogStore::set_identity(Batch& batch, Bytes incarnation) {
    ICL_ASSERT(incarnation.size() == kIncarnationBytes, "an incarnation has a fixed length");
    incarnation_ = std::move(incarnation);
    batch.put(Family::raft_meta, Bytes(kIncarnation), incarnation_);
}

void LogStore::set_cluster_id(Batch& batch, Bytes cluster_id) {
    cluster_id_ = std::move(cluster_id);
    batch.put(Family::raft_meta, Bytes(kClusterId), cluster_id_);
}

void LogStore::forget_import(Batch& batch) {
    if (imported_.empty()) return;
    imported_.clear();
    batch.del(Family::raft_meta, Bytes(kImported));
}

void LogStore::prepare_import(Batch& batch, BytesView digest) {
    wipe(batch);
    batch.put(Family::raft_meta, Bytes(kImported), Bytes(digest));
}

void LogStore::found(Batch& batch, const NodeTable& founders) {
    forget_import(batch);
    std::vector<NodeId> voters;
    for (const auto& [id, record] : founders) {
        voters.push_back(id);
        set_node(batch, id, record);
    }
    // Index 1 is behind the first entry: whoever joins later gets a snapshot, and with it this
    // configuration, instead of replaying later changes onto nothing.
    compacted_ = applied_ = {1, 1};
    last_index_ = 1;
    batch.put(Family::raft_meta, Bytes(kCompacted), encode_position(compacted_));
    batch.put(Family::raft_meta, Bytes(kApplied), encode_position(applied_));
    set_hard_state(batch, {1, 0, 1});
    auto set = set_conf_state(batch, make_conf_state(voters, {}));
    ICL_ASSERT(set.has_value(), "a made configuration can be read");
}

bool LogStore::has_seen(NodeId id) {
    auto row = store_.get(Family::raft_meta, node_key(kSeenPrefix, id));
    // A row that cannot be read counts as seen: the careful answer.
    return !row || row.value().has_value();
}

void LogStore::set_seen(Batch& batch, NodeId id) {
    batch.put(Family::raft_meta, node_key(kSeenPrefix, id), {});
}

void LogStore::set_hard_state(Batch& batch, const HardState& state) {
    hard_state_ = state;
    auto row = hard_state_;
    if (planted(Bug::commit_index_dropped)) row.commit = compacted_.index;
    batch.put(Family::raft_meta, Bytes(kHardState), encode_hard_state(row));
}

void LogStore::count_round(Batch& batch) {
    Bytes value;
    put_be64(value, ++rounds_);
    batch.put(Family::raft_meta, Bytes(kRounds), std::move(value));
}

void LogStore::append(Batch& batch, const std::vector<LogEntry>& entries) {
    if (entries.empty()) return;
    const auto first = entries.front().index;
    ICL_ASSERT(first > compacted_.index && first <= last_index_ + 1, "log entries leave no gap");
    if (first <= last_index_) {
        batch.del_range(Family::raft_log, index_key(first), index_key(last_index_ + 1));
        cut_tail(first);
        bytes_.cut(first);
        additions_ahead_.erase(additions_ahead_.lower_bound(first), additions_ahead_.end());
    }
    for (const auto& entry : entries) {
        auto row = encode_entry(entry);
        bytes_.append(entry.index, row.size());
        batch.put(Family::raft_log, index_key(entry.index), std::move(row));
        last_index_ = entry.index;
        push_tail(entry);
        note_addition(entry);
    }
}

void LogStore::set_applied(Batch& batch, Position applied) {
    applied_ = applied;
    additions_ahead_.erase(additions_ahead_.begin(), additions_ahead_.upper_bound(applied.index));
    batch.put(Family::raft_meta, Bytes(kApplied), encode_position(applied_));
    if (hard_state_.commit < applied.index) {
        hard_state_.commit = applied.index;
        set_hard_state(batch, hard_state_);
    }
}

Result<> LogStore::set_conf_state(Batch& batch, Bytes conf_state) {
    ICL_TRY(auto members, read_conf_state(conf_state));
    members_ = std::move(members);
    conf_state_ = std::move(conf_state);
    batch.put(Family::raft_meta, Bytes(kConfState), conf_state_);
    return ok();
}

void LogStore::set_node(Batch& batch, NodeId id, NodeRecord record) {
    batch.put(Family::raft_meta, node_key(kNodePrefix, id), encode_node_record(record));
    nodes_[id] = std::move(record);
}

bool LogStore::has_member(const PeerId& peer) const {
    return std::any_of(members_.begin(), members_.end(), [&](const Member& member) {
        const auto known = nodes_.find(member.id);
        return known != nodes_.end() && known->second.peer == peer;
    });
}

bool LogStore::set_cordon(Batch& batch, const CordonFact& fact) {
    if (!has_member(fact.peer)) return false;
    facts_.set_cordon(batch, fact.peer, fact.cordon);
    return true;
}

void LogStore::forget_facts_of(Batch& batch, const PeerId& peer) {
    if (!has_member(peer)) facts_.set_cordon(batch, peer, {});
}

Result<> LogStore::install(Batch& batch, const SnapshotMeta& snapshot, const NodeTable& nodes,
                           ClusterFacts facts) {
    ICL_TRY(set_conf_state(batch, snapshot.conf_state));
    batch.del_range(Family::raft_log, {}, {});
    tail_.clear();
    tail_bytes_ = 0;
    bytes_.clear();
    additions_ahead_.clear();
    compacted_ = snapshot.at;
    last_index_ = snapshot.at.index;
    batch.put(Family::raft_meta, Bytes(kCompacted), encode_position(compacted_));
    if (planted(Bug::applied_not_installed))
        applied_ = snapshot.at;
    else
        set_applied(batch, snapshot.at);
    for (const auto& [id, record] : nodes) set_node(batch, id, record);
    facts_.install(batch, std::move(facts));
    return ok();
}

Result<> LogStore::compact(Batch& batch, std::uint64_t index) {
    if (index <= compacted_.index) return ok();
    ICL_ASSERT(index <= applied_.index, "only applied entries are dropped");
    ICL_TRY(auto at_term, term(index));
    batch.del_range(Family::raft_log, {}, index_key(index + 1));
    bytes_.drop_to(index);
    compacted_ = {index, at_term};
    batch.put(Family::raft_meta, Bytes(kCompacted), encode_position(compacted_));
    while (!tail_.empty() && tail_.front().index <= index) {
        tail_bytes_ -= tail_.front().data.size();
        tail_.pop_front();
    }
    return ok();
}

void LogStore::wipe(Batch& batch) {
    batch.del_range(Family::raft_log, {}, {});
    batch.del_range(Family::raft_meta, {}, {});
}

Result<std::uint64_t> LogStore::term(std::uint64_t index) const {
    if (index == compacted_.index) return compacted_.term;
    if (index < compacted_.index) return fail(Kind::not_found, "the entry is compacted");
    if (index > last_index_) return fail(Kind::unavailable, "the entry is not written yet");
    if (!tail_.empty() && index >= tail_.front().index)
        return tail_[index - tail_.front().index].term;
    ICL_TRY(auto entry, stored_entry(index));
    return entry.term;
}

Result<std::vector<LogEntry>> LogStore::entries(std::uint64_t low, std::uint64_t high,
                                                std::uint64_t bytes_max) const {
    if (low <= compacted_.index) return fail(Kind::not_found, "the entries are compacted");
    if (high > last_index_ + 1) return fail(Kind::unavailable, "the entries are not written yet");
    std::vector<LogEntry> out;
    std::uint64_t bytes = 0;
    for (auto index = low; index < high; ++index) {
        LogEntry entry;
        if (!tail_.empty() && index >= tail_.front().index) {
            entry = tail_[index - tail_.front().index];
        } else {
            ICL_TRY(auto stored, stored_entry(index));
            entry = std::move(stored);
        }
        bytes += entry.data.size();
        if (!out.empty() && bytes > bytes_max) break;
        out.push_back(std::move(entry));
    }
    return out;
}

Result<SnapshotMeta> LogStore::snapshot(std::uint64_t request_index, NodeId to) {
    if (!snapshot_maker_) return fail(Kind::retryable, "no snapshot can be made now");
    return snapshot_maker_(request_index, to);
}

Result<LogEntry> LogStore::stored_entry(std::uint64_t index) const {
    auto entry = read_entry(index);
    // The engine hands on that it failed, not why.
    if (!entry && entry.error().kind == Kind::corrupt && damage_.empty())
        damage_ = entry.error().text;
    return entry;
}

Result<LogEntry> LogStore::read_entry(std::uint64_t index) const {
    ICL_TRY(auto row, store_.get(Family::raft_log, index_key(index)));
    if (!row)
        return fail(Kind::corrupt, "raft_log: entry " + std::to_string(index) + " is missing");
    return decode_entry(index, *row);
}

void LogStore::push_tail(const LogEntry& entry) {
    tail_.push_back(entry);
    tail_bytes_ += entry.data.size();
    while (tail_.size() > kTailEntriesMax || (tail_bytes_ > kTailBytesMax && tail_.size() > 1)) {
        tail_bytes_ -= tail_.front().data.size();
        tail_.pop_front();
    }
}

void LogStore::cut_tail(std::uint64_t from) {
    while (!tail_.empty() && tail_.back().index >= from) {
        tail_bytes_ -= tail_.back().data.size();
        tail_.pop_back();
    }
}

}  // namespace ipfscluster::raft
