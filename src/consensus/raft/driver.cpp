// The rounds of the engine: input, persist, send, apply.
#include <algorithm>

#include "base/log.hpp"
#include "base/planted.hpp"
#include "consensus/raft/raft_consensus.hpp"

namespace ipfscluster::raft {

namespace {

/// Failures after which the engine can no longer be used.
bool is_fatal(const Error& error) {
    return error.kind == Kind::internal || error.kind == Kind::shutting_down;
}

constexpr std::size_t kReconcileRows = 256;

}  // namespace

asio::awaitable<void> RaftConsensus::run() {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto ended = co_await drive();
    if (!ended && !stopping_ && ended.error().kind != Kind::cancelled) end_with(ended.error());
    engine_.reset();
    if (!removed_) co_return;
    // A restart must know it without asking anybody.
    auto synced = co_await store_.sync();
    if (!synced) logger("raft")->debug("the removal is not on the disk: {}", synced.error().text);
}

asio::awaitable<void> RaftConsensus::run_ticks() {
    co_await asio::this_coro::throw_if_cancelled(false);
    const auto tick = options_.election_timeout / kElectionTicks;
    while (!stopping_ && !ended_) {
        auto slept = co_await world_.sleep_for(tick);
        if (!slept) co_return;
        // Ticks that pass during a slow sync count once: our own slowness is no sign of a dead
        // leader.
        tick_due_ = true;
        wake_.notify_all();
    }
}

/// Others write to the store, too. Once one of their syncs has failed nothing more can be written,
/// and a peer without operations of its own would never notice.
asio::awaitable<void> RaftConsensus::run_disk_watch() {
    co_await asio::this_coro::throw_if_cancelled(false);
    while (!stopping_ && !ended_) {
        auto slept = co_await world_.sleep_for(options_.election_timeout);
        if (!slept) co_return;
        auto synced = co_await store_.sync();
        if (!synced && synced.error().kind == Kind::cancelled) co_return;
        if (!synced) co_return end_with(synced.error().in("the database cannot be written"));
    }
}

void RaftConsensus::request(std::function<Result<>(Engine&)> work) {
    requests_.push_back(std::move(work));
    wake_.notify_all();
}

bool RaftConsensus::has_work() const {
    return tick_due_ || !inbox_.empty() || !requests_.empty() ||
           (status_.leader != 0 && ((!proposals_wait_ && commits_.has_new()) || reads_.has_new()));
}

Async<> RaftConsensus::drive() {
    while (true) {
        while (!has_work()) {
            if (ended_) co_return fail(*ended_);
            auto woken = co_await wake_.wait();
            if (!woken) co_return fail(woken.error());
        }
        if (ended_) co_return fail(*ended_);
        const auto offered = fetched_ ? fetched_->token : Bytes{};
        ICL_CO_TRY(take_input());
        while (true) {
            auto worked = co_await round();
            if (!worked) co_return fail(worked.error());
            if (!worked.value()) break;
        }
        refresh_status();
        // The engine has seen the offer by now and did not want it.
        if (fetched_ && fetched_->token == offered) fetched_.reset();
        if (!fetched_ && !fetching_ && next_offer_)
            begin_fetch(*std::exchange(next_offer_, std::nullopt));
        ICL_CO_TRY(co_await compact_if_due());
    }
}

Result<> RaftConsensus::tolerate(const Result<>& outcome, const char* what) {
    if (outcome) return ok();
    if (is_fatal(outcome.error())) return fail(outcome.error());
    logger("raft")->debug("{}: {}", what, outcome.error().text);
    return ok();
}

Result<> RaftConsensus::tick() {
    if (status_.role == Role::candidate) {
        if (++candidate_ticks_ % patience_ != 0) return ok();
    } else {
        candidate_ticks_ = 0;
    }
    return engine_->tick();
}

/// After the requests: a change of members among them goes first.
Result<> RaftConsensus::tend_level() {
    const auto in_force = log_.facts().feature_level();
    if (in_force >= options_.feature_level) return ok();
    ICL_TRY(const auto status, engine_->status());
    if (status.role != Role::leader || status.pending_change || status.transferee != 0) return ok();
    ICL_TRY(const auto progress, engine_->progress());
    std::vector<LevelRaise::MemberLevel> members;
    for (const auto& member : progress) {
        auto announced = member.recent_active ? links_.announced(member.id) : std::nullopt;
        if (member.id == node_id_) announced = options_.feature_level;
        members.push_back({member.id, announced});
    }
    const auto level = level_raise_.due(in_force, status.term, members);
    if (!level) return ok();
    const auto outcome = engine_->propose(level_entry(*level));
    if (outcome) level_raise_.proposed(*level, status.term);
    return tolerate(outcome, "feature level");
}

Result<> RaftConsensus::take_input() {
    const bool tick_was_due = tick_due_;
    if (std::exchange(tick_due_, false)) {
        proposals_wait_ = false;
        ICL_TRY(tick());
        ICL_TRY(tend_snapshots(world_.steady_now()));
        tend_members(*engine_);
    }
    while (!inbox_.empty()) {
        const auto message = std::move(inbox_.front());
        inbox_.pop_front();
        inbox_bytes_ -= message.size();
        ICL_TRY(tolerate(engine_->step(message), "message"));
    }
    inbox_room_.notify_all();
    while (!requests_.empty()) {
        const auto work = std::move(requests_.front());
        requests_.pop_front();
        ICL_TRY(tolerate(work(*engine_), "request"));
    }
    if (tick_was_due) {
        ICL_TRY(tend_level());
    }
    ICL_TRY(auto status, engine_->status());
    if (const auto question = reads_.next(status.leader, status.term, world_.steady_now())) {
        ICL_TRY(tolerate(engine_->read_index(*question), "read"));
    }
    Result<> proposed = ok();
    if (proposals_wait_) return proposed;
    const CommitQueue::Leadership under{status.leader, status.term, status.role == Role::leader};
    commits_.propose(under, world_.steady_now(), [&](BytesView data) {
        auto outcome = engine_->propose(data);
        if (outcome) return true;
        // No leader or a busy one: tried again with the next tick.
        proposals_wait_ = true;
        proposed = tolerate(outcome, "proposal");
        return false;
    });
    return proposed;
}

Result<> RaftConsensus::report_snapshot(Engine& engine, PromisedSnapshot promise, bool good) {
    ICL_TRY(auto progress, engine.progress());
    for (const auto& peer : progress) {
        // The follower may be waiting for a later one by now.
        if (peer.id == promise.to && peer.in_snapshot && peer.pending_snapshot == promise.index)
            return engine.report_snapshot(promise.to, good);
    }
    return ok();
}

Result<> RaftConsensus::tend_snapshots(SteadyTime now) {
    if (leases_.size() == 0 && catching_up_.empty()) return ok();
    // Offered again then, the same one.
    for (const auto& promise : leases_.idle(now)) {
        ICL_TRY(tolerate(report_snapshot(*engine_, promise, false), "snapshot report"));
    }
    // The engine goes on behind the snapshot then, and finds out whether it is there.
    for (const auto& promise : leases_.unconfirmed(now)) {
        ICL_TRY(tolerate(report_snapshot(*engine_, promise, true), "snapshot report"));
    }
    // Empty unless we lead.
    ICL_TRY(auto progress, engine_->progress());
    leases_.keep_needed(progress, now);
    for (const auto& peer : progress) {
        if (!peer.in_snapshot) continue;
        // What it waits for is given up, or it took an older one in the meantime and needs none.
        if (!leases_.holds({peer.id, peer.pending_snapshot}) ||
            peer.matched >= log_.compacted().index) {
            ICL_TRY(tolerate(engine_->report_snapshot(peer.id, false), "snapshot report"));
        }
    }
    return ok();
}

Async<> RaftConsensus::persist(storage::Batch batch, bool sync) {
    if (batch.empty()) co_return ok();
    if (!sync) co_return store_.write(std::move(batch));
    log_.count_round(batch);
    ICL_CO_TRY(co_await store_.write_synced(std::move(batch)));
    floor_.synced({.node = node_id_,
                   .rounds = log_.rounds(),
                   .term = log_.hard_state().term,
                   .last_index = log_.last_index(),
                   .damage = {}});
    co_return ok();
}

Async<bool> RaftConsensus::round() {
    ICL_CO_TRY(auto polled, engine_->poll());
    if (!polled) co_return false;
    auto& ready = *polled;
    send(ready.messages, false);
    for (const auto& read : ready.read_states) reads_.answered(read.request, read.index);
    if (!ready.read_states.empty()) changed_.notify_all();

    storage::Batch batch;
    if (ready.hard_state) log_.set_hard_state(batch, *ready.hard_state);
    const bool installing = ready.snapshot.has_value();
    if (installing) {
        ICL_CO_TRY(install(batch, *ready.snapshot));
    }
    log_.append(batch, ready.entries);
    auto persisted = co_await persist(std::move(batch), ready.must_sync);
    if (!persisted) {
        if (installing) state_.dropped();
        co_return fail(persisted.error());
    }
    if (installing) {
        show_applied();
        if (!std::exchange(reconciling_, true)) tasks_.spawn(run_reconcile());
        changed_.notify_all();
    }
    // Meanwhile it may have turned out that nothing may be said under this node id any more.
    if (ended_) co_return fail(*ended_);
    send(ready.messages, true);

    ICL_CO_TRY(auto light, engine_->advance());
    send(light.messages, false);
    auto committed = std::move(ready.committed);
    committed.insert(committed.end(), std::make_move_iterator(light.committed.begin()),
                     std::make_move_iterator(light.committed.end()));
    ICL_CO_TRY(apply(std::move(committed), light.hard_state));
    co_return true;
}

Result<> RaftConsensus::install(storage::Batch& batch, const SnapshotMeta& snapshot) {
    if (!fetched_ || fetched_->token != snapshot.token || fetched_->at != snapshot.at)
        return fail(Kind::internal, "the engine installs a snapshot that was not fetched");
    logger("raft")->info("installing a snapshot index={} nodes={}", snapshot.at.index,
                         fetched_->nodes.size());
    ICL_TRY(log_.install(batch, snapshot, fetched_->nodes, std::move(fetched_->facts)));
    for (const auto& [id, record] : fetched_->nodes) {
        contacts_.erase(id);
        if (record.removed) forget_node(id);
    }
    if (log_.cluster_id().empty()) log_.set_cluster_id(batch, fetched_->cluster_id);
    fetched_.reset();
    return state_.finish_staging(batch);
}

void RaftConsensus::send(std::vector<OutMessage>& messages, bool after_persist) {
    for (auto& message : messages) {
        if (message.after_persist != after_persist) continue;
        const auto known = log_.nodes().find(message.to);
        // A removed node is told so when it opens a stream, and has no link any more.
        if (known != log_.nodes().end() && known->second.removed) continue;
        const auto peer = peer_of(message.to);
        const bool queued = !peer.empty() && links_.send(message.to, peer, std::move(message.bytes),
                                                         message.snapshot.index);
        if (queued) continue;
        request([this, to = message.to, index = message.snapshot.index](Engine& engine) {
            return index != 0 ? report_snapshot(engine, {to, index}, false)
                              : engine.report_unreachable(to);
        });
    }
}

Result<> RaftConsensus::apply(std::vector<LogEntry> committed,
                              const std::optional<HardState>& hard_state) {
    if (committed.empty() && !hard_state) return ok();
    struct Applied {
        std::vector<state::LoggedOperation> operations;
        std::vector<state::ApplyResult> results;
    };
    std::vector<Applied> applied;
    storage::Batch batch;
    bool removed = false;
    // The commit index goes with what it lets us apply: a node never starts with applied > commit.
    if (hard_state) log_.set_hard_state(batch, *hard_state);
    // A change of members lets the engine send at once, snapshots too; what comes before it in this
    // batch is not in the store yet.
    const SnapshotLeases::Hold hold(leases_);
    for (const auto& entry : committed) {
        if (entry.type != EntryType::normal) {
            ICL_TRY(auto self_removed, apply_change(batch, entry));
            removed = self_removed;
        } else if (!entry.data.empty()) {
            ICL_TRY(auto operations, state::decode_operations(entry.data, options_.feature_level));
            ICL_TRY(auto results, state_.apply(batch, entry.index, operations));
            ICL_TRY(apply_facts(batch, operations, results));
            applied.push_back({std::move(operations), std::move(results)});
        }
        log_.set_applied(batch, {entry.index, entry.term});
        if (removed) break;
    }
    auto written = store_.write(std::move(batch));
    if (!written) {
        state_.dropped();
        return fail(written.error());
    }
    show_applied();
    for (const auto& item : applied) commits_.applied(item.operations, item.results);
    changed_.notify_all();
    if (removed) {
        removed_ = true;
        return fail(Kind::conflict, "this peer was removed from the cluster");
    }
    if (committed.empty()) return ok();
    return engine_->applied(committed.back().index);
}

/// What operations say about the cluster; a repetition says nothing.
Result<> RaftConsensus::apply_facts(storage::Batch& batch,
                                    const std::vector<state::LoggedOperation>& operations,
                                    std::vector<state::ApplyResult>& results) {
    for (std::size_t i = 0; i < operations.size(); ++i) {
        if (results[i].outcome != state::ApplyOutcome::applied) continue;
        if (operations[i].fact == state::FactKind::cordon) {
            ICL_TRY(const auto fact, decode_cordon_fact(operations[i].payload));
            if (!log_.set_cordon(batch, fact)) results[i].outcome = state::ApplyOutcome::not_found;
        } else if (operations[i].fact == state::FactKind::feature_level) {
            ICL_TRY(const auto level, decode_level_fact(operations[i].payload));
            log_.raise_feature_level(batch, level);
            logger("raft")->info("the cluster has feature level {}", log_.facts().feature_level());
        }
    }
    return ok();
}

/// The one place where rows become visible, once they are in the store. Until then, a whole sync
/// long for a snapshot, the log already counts them as applied: no promise to a reader is made of
/// that.
void RaftConsensus::show_applied() {
    state_.applied();
    visible_ = log_.applied().index;
    const bool news = std::exchange(facts_told_, log_.facts().changes()) != log_.facts().changes();
    if (news && cordons_listener_) cordons_listener_();
}

Result<bool> RaftConsensus::apply_change(storage::Batch& batch, const LogEntry& entry) {
    ICL_TRY(auto wanted, read_change(entry));
    for (const auto& single : wanted.changes) {
        if (planted(Bug::removed_may_return)) continue;
        const auto known = log_.nodes().find(single.id);
        // An addition that was under way when the node was removed must not bring it back: its data
        // may be gone by now. The table is part of the replicated state, so all members decide
        // alike.
        if (single.op != ChangeOp::remove && known != log_.nodes().end() && known->second.removed)
            return false;
    }
    ICL_TRY(auto change, engine_->apply_change(entry));
    ICL_TRY(log_.set_conf_state(batch, change.conf_state));
    auto in_conf = [this](NodeId id) {
        return std::any_of(log_.members().begin(), log_.members().end(),
                           [id](const Member& member) { return member.id == id; });
    };
    for (const auto& single : change.changes) {
        const auto known = log_.nodes().find(single.id);
        if (in_conf(single.id) && known == log_.nodes().end()) {
            ICL_TRY(auto peer, PeerId::from_bytes(change.context));
            log_.set_node(batch, single.id, {peer, entry.index, false});
            contacts_.erase(single.id);
            logger("raft")->info("member added peer={} node={:016x}", peer.to_string(), single.id);
        } else if (!in_conf(single.id) && known != log_.nodes().end() && !known->second.removed) {
            auto record = known->second;
            record.removed = true;
            logger("raft")->info("member removed peer={} node={:016x}", record.peer.to_string(),
                                 single.id);
            const auto peer = record.peer;
            log_.set_node(batch, single.id, std::move(record));
            log_.forget_facts_of(batch, peer);
            forget_node(single.id);
        }
    }
    return change.removed_self;
}

void RaftConsensus::refresh_status() {
    if (!engine_) return;
    auto status = engine_->status();
    if (!status) return;
    const bool news = status.value().leader != status_.leader ||
                      status.value().term != status_.term || status.value().role != status_.role;
    if (status.value().leader != status_.leader && status.value().leader != 0)
        logger("raft")->info("leader peer={} term={}", peer_of(status.value().leader).to_string(),
                             status.value().term);
    const bool lost_election = status_.role == Role::candidate &&
                               status.value().role != Role::candidate && status.value().leader == 0;
    if (lost_election) patience_ = std::min(patience_ * 2, kCandidatePatienceMax);
    if (status.value().leader != 0) patience_ = 1;
    status_ = status.value();
    if (news) changed_.notify_all();
}

Result<SnapshotMeta> RaftConsensus::promise_snapshot(std::uint64_t request_index, NodeId to) {
    ICL_TRY(auto meta, leases_.make(request_index, to, node_id_));
    catching_up_[to] = {meta.at.index, world_.steady_now()};
    return meta;
}

/// The oldest index behind which somebody who was promised a snapshot will go on, `usual` at most.
Result<std::uint64_t> RaftConsensus::still_needed(std::uint64_t usual) {
    auto needed = usual;
    if (catching_up_.empty()) return needed;
    ICL_TRY(auto progress, engine_->progress());
    const auto now = world_.steady_now();
    const auto holds = [&](NodeId id, CatchUp& catch_up) {
        const auto peer = std::find_if(progress.begin(), progress.end(),
                                       [&](const Progress& each) { return each.id == id; });
        if (peer == progress.end() || peer->matched >= usual) return false;
        const auto moved = leases_.moved({id, catch_up.from});
        // The snapshot was given up before it was there.
        if (!moved && peer->matched < catch_up.from) return false;
        catch_up.since = std::max(catch_up.since, moved.value_or(catch_up.since));
        if (now - catch_up.since >= kCompactionHoldMax) return false;
        needed = std::min(needed, std::max(peer->matched, catch_up.from));
        return true;
    };
    for (auto it = catching_up_.begin(); it != catching_up_.end();)
        it = holds(it->first, it->second) ? std::next(it) : catching_up_.erase(it);
    return needed;
}

/// Where the log is to be cut, by the number of entries and by their bytes; nothing: nowhere yet.
Result<std::optional<std::uint64_t>> RaftConsensus::compaction_target() {
    const std::optional<std::uint64_t> nowhere;
    const auto applied = log_.applied().index;
    const auto kept = applied - log_.compacted().index;
    const auto entries_max = options_.snapshot_threshold + options_.trailing_logs;
    const auto bytes = log_.bytes().total();
    const bool long_log = kept >= entries_max;
    const bool large_log = bytes > options_.log_bytes_max;
    if (!long_log && !large_log) return nowhere;
    std::uint64_t target = long_log ? applied - options_.trailing_logs : 0;
    if (large_log)
        target = std::max(
            target, std::min(applied, log_.bytes().index_leaving(options_.log_bytes_max / 2)));
    if (kept < kCompactionHoldFactor * entries_max &&
        bytes < kCompactionHoldFactor * options_.log_bytes_max) {
        ICL_TRY(target, still_needed(target));
    }
    // Less is not worth a sync.
    const bool enough_entries = target >= log_.compacted().index + options_.snapshot_threshold;
    const bool enough_bytes =
        large_log && target >= log_.bytes().index_leaving(bytes - options_.log_bytes_max / 4);
    if (target <= log_.compacted().index || !(enough_entries || enough_bytes)) return nowhere;
    return std::optional(target);
}

Async<> RaftConsensus::compact_if_due() {
    ICL_CO_TRY(const auto target, compaction_target());
    if (!target) co_return ok();
    // What is dropped could be replayed until now; from here on only the synced state has it.
    ICL_CO_TRY(co_await store_.sync());
    storage::Batch batch;
    ICL_CO_TRY(log_.compact(batch, *target));
    co_return store_.write(std::move(batch));
}

asio::awaitable<void> RaftConsensus::run_reconcile() {
    co_await asio::this_coro::throw_if_cancelled(false);
    while (!stopping_ && !ended_) {
        auto done = state_.reconcile_generations(kReconcileRows);
        if (!done) {
            end_with(done.error().in("comparing the pinsets before and after a snapshot"));
            break;
        }
        if (done.value()) break;
        auto slept = co_await world_.sleep_for(Duration::zero());
        if (!slept) break;
        auto has_room = co_await state_.room();
        if (!has_room) break;  // a store that failed ends the rounds, too
    }
    reconciling_ = false;
}

}  // namespace ipfscluster::raft
