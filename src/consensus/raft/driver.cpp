#include "consensus/raft/driver.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "base/log.hpp"
#include "base/planted.hpp"

namespace ipfscluster::raft {

Driver::Driver(Parts parts, Bytes name, Ticks ticks)
    : world_(parts.world),
      store_(parts.store),
      options_(parts.options),
      log_(parts.log),
      life_(parts.life),
      roster_(parts.roster),
      links_(parts.links),
      commits_(parts.commits),
      applied_(parts.applied),
      offers_(parts.offers),
      fetch_(parts.fetch),
      ticks_(std::move(ticks)),
      floor_(world_, options_.floor),
      reads_(std::move(name), options_.election_timeout),
      wake_(world_.executor()),
      changed_(world_.executor()),
      inbox_room_(world_.executor()) {
    log_.on_snapshot([this](std::uint64_t request_index, NodeId to) {
        return offers_.promise(request_index, to, roster_.node());
    });
}

Result<> Driver::start(TaskGroup& tasks) {
    EngineConfig config;
    config.id = roster_.node();
    config.hard_state = log_.hard_state();
    config.applied = log_.applied().index;
    config.conf_state = log_.conf_state();
    config.election_ticks = kElectionTicks;
    config.heartbeat_ticks = kHeartbeatTicks;
    config.jitter_seed = world_.random_u64();
    ICL_TRY(applied_.heed());
    ICL_TRY(engine_, Engine::make(config, log_));
    life_.run();
    applied_.show();
    refresh_status();
    logger("raft")->info("started node={:016x} members={} applied={} last={}", config.id,
                         log_.members().size(), log_.applied().index, log_.last_index());
    tasks.spawn(run());
    tasks.spawn(run_ticks());
    tasks.spawn(run_disk_watch());
    tasks.spawn(floor_.run());
    return ok();
}

Async<> Driver::finish(std::string damage) {
    engine_.reset();
    if (roster_.node() == 0) co_return ok();
    co_return co_await floor_.finish(std::move(damage));
}

void Driver::wake_all() {
    changed_.notify_all();
    wake_.notify_all();
    inbox_room_.notify_all();
}

asio::awaitable<void> Driver::run() {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto ended = co_await drive();
    if (!ended && ended.error().kind != Kind::cancelled) life_.end(ended.error());
    engine_.reset();
    if (!life_.removed()) co_return;
    // A restart must know it without asking anybody.
    auto synced = co_await store_.sync();
    if (!synced) logger("raft")->debug("the removal is not on the disk: {}", synced.error().text);
}

asio::awaitable<void> Driver::run_ticks() {
    co_await asio::this_coro::throw_if_cancelled(false);
    const auto tick = options_.election_timeout / kElectionTicks;
    while (!life_.over()) {
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
asio::awaitable<void> Driver::run_disk_watch() {
    co_await asio::this_coro::throw_if_cancelled(false);
    while (!life_.over()) {
        auto slept = co_await world_.sleep_for(options_.election_timeout);
        if (!slept) co_return;
        auto synced = co_await store_.sync();
        if (!synced && synced.error().kind == Kind::cancelled) co_return;
        if (!synced) co_return life_.end(synced.error().in("the database cannot be written"));
    }
}

void Driver::request(Work work) {
    requests_.push_back(std::move(work));
    wake_.notify_all();
}

Async<> Driver::call(Work work, Duration limit) {
    ICL_CO_TRY(life_.check());
    struct Call {
        std::optional<Result<>> said;
        bool given_up = false;
    };
    auto call = std::make_shared<Call>();
    request([this, work = std::move(work), call](Engine& engine) -> Result<> {
        // The disk held the driver up, and the caller has been told that nothing happened.
        if (call->given_up) return ok();
        call->said = work(engine);
        changed_.notify_all();
        return *call->said;
    });
    const auto deadline =
        world_.steady_now() + std::chrono::duration_cast<SteadyTime::duration>(limit);
    while (!call->said) {
        auto changed = co_await wait_change(deadline);
        if (!changed && !call->said) {
            call->given_up = true;
            co_return fail(changed.error());
        }
    }
    co_return *call->said;
}

void Driver::take_message(Bytes message) {
    inbox_bytes_ += message.size();
    inbox_.push_back(std::move(message));
    wake_.notify_all();
}

Async<> Driver::wait_room() {
    while (inbox_bytes_ > kInboxBytesMax && !life_.over()) {
        ICL_CO_TRY(co_await inbox_room_.wait());
    }
    co_return ok();
}

Async<> Driver::wait_change(SteadyTime deadline) {
    ICL_CO_TRY(life_.check());
    const auto left = deadline - world_.steady_now();
    if (left <= left.zero()) co_return fail(Kind::timeout, "the deadline has passed");
    const auto pause = std::min<Duration>(left, options_.election_timeout / 2);
    auto woken =
        co_await with_deadline<void>(world_, pause, "a change of the cluster", changed_.wait());
    if (!woken && woken.error().kind == Kind::cancelled) co_return fail(woken.error());
    co_return life_.check();
}

Async<> Driver::barrier(Duration limit) {
    const auto deadline =
        world_.steady_now() + std::chrono::duration_cast<SteadyTime::duration>(limit);
    if (planted(Bug::reads_not_awaited)) co_return ok();
    const auto number = reads_.join();
    wake_.notify_all();
    std::optional<std::uint64_t> index;
    while (true) {
        if (!index) index = reads_.index_for(number);
        const auto seen =
            planted(Bug::read_before_written) ? log_.applied().index : applied_.visible();
        if (index && seen >= *index) co_return ok();
        auto changed = co_await wait_change(deadline);
        if (!changed && changed.error().kind == Kind::timeout)
            co_return fail(Kind::unavailable, "no quorum answered a read in time");
        if (!changed) co_return fail(changed.error());
    }
}

bool Driver::has_work() const {
    return tick_due_ || !inbox_.empty() || !requests_.empty() ||
           (status_.leader != 0 && ((!proposals_wait_ && commits_.has_new()) || reads_.has_new()));
}

/// take_input → round, round, … until the engine has nothing more to say → cut the log.
Async<> Driver::drive() {
    while (true) {
        while (!has_work()) {
            if (life_.ended()) co_return fail(*life_.ended());
            ICL_CO_TRY(co_await wake_.wait());
        }
        if (life_.ended()) co_return fail(*life_.ended());
        const auto offered = fetch_.token();
        ICL_CO_TRY(take_input());
        while (true) {
            ICL_CO_TRY(const bool worked, co_await round());
            if (!worked) break;
        }
        refresh_status();
        fetch_.seen(offered);
        ICL_CO_TRY(co_await cut_log_if_due());
    }
}

Result<> Driver::tick() {
    if (status_.role == Role::candidate) {
        if (++candidate_ticks_ % patience_ != 0) return ok();
    } else {
        candidate_ticks_ = 0;
    }
    return engine_->tick();
}

/// A tick first, so that what it sets going goes with the rest; proposals last, so that they find
/// the leader that the messages made known.
Result<> Driver::take_input() {
    const bool tick_was_due = std::exchange(tick_due_, false);
    if (tick_was_due) {
        proposals_wait_ = false;
        ICL_TRY(tick());
        ICL_TRY(offers_.tend(*engine_, world_.steady_now()));
        ICL_TRY(ticks_.before(*engine_));
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
    // After the requests: a change of members among them goes first.
    if (tick_was_due) {
        ICL_TRY(ticks_.after(*engine_));
    }
    ICL_TRY(const auto status, engine_->status());
    if (const auto question = reads_.next(status.leader, status.term, world_.steady_now())) {
        ICL_TRY(tolerate(engine_->read_index(*question), "read"));
    }
    return propose(status);
}

Result<> Driver::propose(const EngineStatus& status) {
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

Async<> Driver::persist(storage::Batch batch, bool sync) {
    if (batch.empty()) co_return ok();
    if (!sync) co_return store_.write(std::move(batch));
    log_.count_round(batch);
    ICL_CO_TRY(co_await store_.write_synced(std::move(batch)));
    floor_.synced({.node = roster_.node(),
                   .rounds = log_.rounds(),
                   .term = log_.hard_state().term,
                   .last_index = log_.last_index(),
                   .damage = {}});
    co_return ok();
}

/// poll → send what need not wait → persist → send the rest → advance → apply what both reported.
Async<bool> Driver::round() {
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
        ICL_CO_TRY(auto fetched, fetch_.take(*ready.snapshot));
        ICL_CO_TRY(applied_.install(batch, *ready.snapshot, std::move(fetched)));
    }
    log_.append(batch, ready.entries);
    auto persisted = co_await persist(std::move(batch), ready.must_sync);
    if (!persisted) {
        if (installing) applied_.dropped();
        co_return fail(persisted.error());
    }
    if (installing) {
        applied_.show();
        fetch_.reconcile();
        changed_.notify_all();
    }
    // Meanwhile it may have turned out that nothing may be said under this node id any more.
    if (life_.ended()) co_return fail(*life_.ended());
    send(ready.messages, true);

    ICL_CO_TRY(auto light, engine_->advance());
    send(light.messages, false);
    auto committed = std::move(ready.committed);
    committed.insert(committed.end(), std::make_move_iterator(light.committed.begin()),
                     std::make_move_iterator(light.committed.end()));
    ICL_CO_TRY(apply(std::move(committed), light.hard_state));
    co_return true;
}

void Driver::send(std::vector<OutMessage>& messages, bool after_persist) {
    for (auto& message : messages) {
        if (message.after_persist != after_persist) continue;
        // A removed node is told so when it opens a stream, and has no link any more.
        if (roster_.is_removed(message.to)) continue;
        const auto peer = roster_.peer_of(message.to);
        const bool queued = !peer.empty() && links_.send(message.to, peer, std::move(message.bytes),
                                                         message.snapshot.index);
        if (queued) continue;
        request([to = message.to, index = message.snapshot.index](Engine& engine) {
            return index != 0 ? SnapshotOffers::report(engine, {to, index}, false)
                              : engine.report_unreachable(to);
        });
    }
}

Result<> Driver::apply(std::vector<LogEntry> committed,
                       const std::optional<HardState>& hard_state) {
    if (committed.empty() && !hard_state) return ok();
    ICL_TRY(const bool removed, applied_.apply(*engine_, committed, hard_state));
    if (applied_.walks()) fetch_.reconcile();
    changed_.notify_all();
    if (removed) {
        life_.note_removal();
        return fail(Kind::conflict, "this peer was removed from the cluster");
    }
    if (committed.empty()) return ok();
    ICL_ASSERT(log_.applied().index <= log_.hard_state().commit, "only agreed entries are applied");
    return engine_->applied(committed.back().index);
}

Async<> Driver::cut_log_if_due() {
    ICL_CO_TRY(const auto target, offers_.cut(*engine_));
    if (!target) co_return ok();
    // What is dropped could be replayed until now; from here on only the synced state has it.
    ICL_CO_TRY(co_await store_.sync());
    storage::Batch batch;
    ICL_CO_TRY(log_.compact(batch, *target));
    co_return store_.write(std::move(batch));
}

void Driver::refresh_status() {
    if (!engine_) return;
    auto status = engine_->status();
    if (!status) return;
    const bool news = status.value().leader != status_.leader ||
                      status.value().term != status_.term || status.value().role != status_.role;
    if (status.value().leader != status_.leader && status.value().leader != 0)
        logger("raft")->info("leader peer={} term={}",
                             roster_.peer_of(status.value().leader).to_string(),
                             status.value().term);
    const bool lost_election = status_.role == Role::candidate &&
                               status.value().role != Role::candidate && status.value().leader == 0;
    if (lost_election) patience_ = std::min(patience_ * 2, kCandidatePatienceMax);
    if (status.value().leader != 0) patience_ = 1;
    status_ = status.value();
    if (news) changed_.notify_all();
}

}  // namespace ipfscluster::raft
