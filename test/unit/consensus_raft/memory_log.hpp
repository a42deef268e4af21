#pragma once
#include <map>
#include <set>

#include "consensus/raft/engine.hpp"

namespace ipfscluster::raft {

/// A log in memory for step tests, with the rules of LogStore and nothing else.
class MemoryLog final : public LogReader {
 public:
    Position compacted{1, 1};
    std::map<std::uint64_t, LogEntry> stored;
    std::optional<SnapshotMeta> offer;

    std::uint64_t first_index() const override { return compacted.index + 1; }
    std::uint64_t last_index() const override {
        return stored.empty() ? compacted.index : stored.rbegin()->first;
    }
    Result<std::uint64_t> term(std::uint64_t index) const override {
        if (index == compacted.index) return compacted.term;
        if (index < compacted.index) return fail(Kind::not_found, "compacted");
        if (index > last_index()) return fail(Kind::unavailable, "not yet");
        return stored.at(index).term;
    }
    Result<std::vector<LogEntry>> entries(std::uint64_t low, std::uint64_t high,
                                          std::uint64_t bytes_max) const override {
        if (low <= compacted.index) return fail(Kind::not_found, "compacted");
        if (high > last_index() + 1) return fail(Kind::unavailable, "not yet");
        std::vector<LogEntry> out;
        std::uint64_t bytes = 0;
        for (auto index = low; index < high; ++index) {
            bytes += stored.at(index).data.size();
            if (!out.empty() && bytes > bytes_max) break;
            out.push_back(stored.at(index));
        }
        return out;
    }
    Result<SnapshotMeta> snapshot(std::uint64_t, NodeId) override {
        if (!offer) return fail(Kind::retryable, "later");
        return *offer;
    }
    void append(const std::vector<LogEntry>& entries) {
        if (entries.empty()) return;
        stored.erase(stored.lower_bound(entries.front().index), stored.end());
        for (const auto& entry : entries) stored[entry.index] = entry;
    }
    void compact(std::uint64_t index) {
        compacted = {index, term(index).value()};
        stored.erase(stored.begin(), stored.upper_bound(index));
    }
};

/// One node driven by hand: does the rounds, keeps what the disk would keep.
struct StepNode {
    NodeId id = 0;
    MemoryLog log;
    HardState hard_state{1, 0, 1};
    std::uint64_t applied = 1;
    Bytes conf_state;
    std::vector<LogEntry> committed;
    std::vector<ReadState> reads;
    std::vector<OutMessage> outbox;
    bool removed = false;
    std::unique_ptr<Engine> engine;

    void start(std::uint64_t seed = 1) {
        EngineConfig config;
        config.id = id;
        config.hard_state = hard_state;
        config.applied = applied;
        config.conf_state = conf_state;
        config.jitter_seed = seed;
        engine = Engine::make(config, log).value();
    }
    EngineStatus status() const { return engine->status().value(); }

    void apply(const std::vector<LogEntry>& entries) {
        for (const auto& entry : entries) {
            if (removed) return;
            if (entry.type != EntryType::normal) {
                auto change = engine->apply_change(entry).value();
                conf_state = change.conf_state;
                removed = change.removed_self;
            }
            committed.push_back(entry);
            applied = entry.index;
            hard_state.commit = std::max(hard_state.commit, applied);
        }
        if (!entries.empty() && !removed) engine->applied(applied).value();
    }
    /// One round; false when there was none.
    Result<bool> round() {
        ICL_TRY(auto polled, engine->poll());
        if (!polled) return false;
        if (polled->hard_state) hard_state = *polled->hard_state;
        if (polled->snapshot) {
            log.stored.clear();
            log.compacted = polled->snapshot->at;
            applied = polled->snapshot->at.index;
            conf_state = polled->snapshot->conf_state;
            hard_state.commit = std::max(hard_state.commit, applied);
        }
        log.append(polled->entries);
        for (auto& message : polled->messages) outbox.push_back(std::move(message));
        for (auto& read : polled->read_states) reads.push_back(std::move(read));
        ICL_TRY(auto light, engine->advance());
        if (light.hard_state) hard_state = *light.hard_state;
        for (auto& message : light.messages) outbox.push_back(std::move(message));
        apply(polled->committed);
        apply(light.committed);
        return true;
    }
};

/// Founders that hear each other at once.
struct StepCluster {
    std::map<NodeId, std::unique_ptr<StepNode>> nodes;
    std::set<NodeId> deaf;
    explicit StepCluster(std::vector<NodeId> ids, std::uint64_t seed = 1) {
        for (const auto id : ids) {
            auto node = std::make_unique<StepNode>();
            node->id = id;
            node->conf_state = make_conf_state(ids, {});
            node->start(seed);
            nodes[id] = std::move(node);
        }
    }
    StepNode& node(NodeId id) { return *nodes.at(id); }
    /// Rounds and deliveries until nothing moves.
    void deliver() {
        for (bool moved = true; moved;) {
            moved = false;
            for (auto& [id, node] : nodes) {
                while (!node->removed && node->round().value()) moved = true;
                auto outbox = std::exchange(node->outbox, {});
                for (auto& message : outbox) {
                    moved = true;
                    const auto to = nodes.find(message.to);
                    if (to == nodes.end() || to->second->removed || deaf.contains(message.to) ||
                        deaf.contains(id))
                        continue;
                    static_cast<void>(to->second->engine->step(message.bytes));
                }
            }
        }
    }
    void elect(NodeId id) {
        node(id).engine->campaign().value();
        deliver();
    }
};

}  // namespace ipfscluster::raft
