#include "consensus/raft/raft_consensus.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "base/planted.hpp"
#include "consensus/raft/loss.hpp"

namespace ipfscluster::raft {

using component::CommitResult;

namespace {

Bytes random_bytes(World& world, std::size_t count) {
    Bytes out;
    while (out.size() < count) put_be64(out, world.random_u64());
    out.resize(count);
    return out;
}

constexpr std::size_t kOriginBytes = 16;

/// The longest append: one operation as large as may be, with what is around it. Others end at
/// `EngineConfig::message_bytes_max`, which is less.
constexpr std::size_t kAppendBytesMax = kOperationBytesMax + 64 * 1024;
static_assert(kInflightMax * kAppendBytesMax + kAppendBytesMax <= kLinkBytesMax,
              "what is on its way to a follower fits its link");
static_assert(EngineConfig{}.message_bytes_max <= kAppendBytesMax);

}  // namespace

RaftConsensus::RaftConsensus(World& world, net::Host& host, storage::Store& store,
                             state::State& state, RaftOptions options)
    : world_(world),
      host_(host),
      store_(store),
      state_(state),
      options_(std::move(options)),
      self_(host.id()),
      log_(store),
      floor_(world, options_.floor),
      origin_(random_bytes(world, kOriginBytes)),
      commits_(world.executor(), origin_, 2 * options_.election_timeout),
      reads_(origin_, options_.election_timeout),
      tasks_(world, "raft"),
      links_(world, host, tasks_, options_.network_timeout,
             {[this](NodeId id) { return hello(Purpose::messages, id); },
              [this](NodeId id) {
                  request([id](Engine& engine) { return engine.report_unreachable(id); });
              },
              [this](NodeId id, std::uint64_t index) {
                  request([this, id, index](Engine& engine) {
                      return report_snapshot(engine, {id, index}, false);
                  });
              },
              [this](NodeId id, const Error& why, bool first) {
                  if (why.kind == Kind::conflict) return end_removed(why);
                  if (why.kind == Kind::invalid) return end_with({Kind::corrupt, why.text});
                  if (first && why.kind == Kind::not_found)
                      logger("raft")->warn("a member is gone node={:016x} error=\"{}\"", id,
                                           why.text);
                  else if (first)
                      logger("raft")->error("a peer refuses us peer={} error=\"{}\"",
                                            peer_of(id).to_string(), why.text);
              }}),
      leases_(world, store, state, log_),
      other_offer_(world.executor()),
      wake_(world.executor()),
      changed_(world.executor()),
      inbox_room_(world.executor()) {
    std::erase(options_.remembered, self_);
    log_.on_snapshot([this](std::uint64_t request_index, NodeId to) {
        return promise_snapshot(request_index, to);
    });
}

RaftConsensus::~RaftConsensus() = default;

Async<> RaftConsensus::start() {
    ICL_CO_TRY(look_for_loss());
    host_.handle(kRaftProtocol, [this](net::StreamPtr stream) { accept(std::move(stream)); });
    if (log_.has_identity() && !log_.members().empty()) {
        node_id_ = make_node_id(self_, log_.incarnation());
        const auto own = log_.nodes().find(node_id_);
        if (own != log_.nodes().end() && own->second.removed) {
            status_.id = node_id_;
            ended_ = Error{Kind::conflict,
                           "this peer was removed from the cluster; start it with --bootstrap to "
                           "join again"};
            removed_ = true;
            co_return fail(*ended_);
        }
        if (options_.found_alone)
            logger("raft")->warn("--found-alone has no effect: this peer has a cluster");
        auto started = start_engine();
        if (!started && !log_.damage().empty()) {
            loss_ = log_.damage();
            co_return fail(Kind::corrupt, loss_);
        }
        if (!started) co_return started;
        tasks_.spawn(run_commit_limits());
        co_return ok();
    }
    tasks_.spawn(run_commit_limits());
    tasks_.spawn(found_or_join());
    co_return ok();
}

Result<> RaftConsensus::look_for_loss() {
    auto opened = log_.open();
    if (!opened && opened.error().kind != Kind::corrupt) return opened;
    std::optional<Floor> floor;
    if (options_.floor) {
        auto read = options_.floor->read();
        if (!read && read.error().kind == Kind::unsupported) return fail(read.error());
        // As without one. The next sync writes it anew.
        if (!read) logger("raft")->warn("no floor under the log: {}", read.error().text);
        if (read) floor = std::move(read.value());
    }
    if (log_.facts().feature_level() > options_.feature_level)
        return fail(Kind::unsupported, "this peer's cluster has feature level " +
                                           std::to_string(log_.facts().feature_level()) +
                                           ", this build knows levels up to " +
                                           std::to_string(options_.feature_level) +
                                           ": install a newer build. Nothing was changed");
    loss_ = opened ? what_is_missing(log_, floor, self_) : opened.error().text;
    if (loss_.empty()) return ok();
    return fail(Kind::corrupt, loss_);
}

Result<> RaftConsensus::start_engine() {
    EngineConfig config;
    config.id = node_id_;
    config.hard_state = log_.hard_state();
    config.applied = log_.applied().index;
    config.conf_state = log_.conf_state();
    config.election_ticks = kElectionTicks;
    config.heartbeat_ticks = kHeartbeatTicks;
    config.jitter_seed = world_.random_u64();
    ICL_TRY(auto engine, Engine::make(config, log_));
    engine_ = std::move(engine);
    show_applied();
    refresh_status();
    logger("raft")->info("started node={:016x} members={} applied={} last={}", node_id_,
                         log_.members().size(), log_.applied().index, log_.last_index());
    tasks_.spawn(run());
    tasks_.spawn(run_ticks());
    tasks_.spawn(run_disk_watch());
    tasks_.spawn(run_lookout());
    tasks_.spawn(floor_.run());
    if (!reconciling_) {
        reconciling_ = true;
        tasks_.spawn(run_reconcile());
    }
    return ok();
}

bool RaftConsensus::is_member() const {
    return std::any_of(log_.members().begin(), log_.members().end(),
                       [this](const Member& member) { return member.id == node_id_; });
}

Result<> RaftConsensus::check_running() const {
    if (stopping_) return fail(Kind::shutting_down, "consensus is closing");
    if (ended_) return fail(*ended_);
    return ok();
}

void RaftConsensus::end_removed(Error why) {
    if (ended_ || stopping_) return;
    removed_ = true;
    end_with(std::move(why));
}

void RaftConsensus::end_with(Error why) {
    if (ended_ || stopping_) return;
    // Whoever waits for the end takes `conflict` for the removal of this peer.
    if (why.kind == Kind::conflict && !removed_) why.kind = Kind::internal;
    // The engine says that it could not read, the log what.
    if (!log_.damage().empty() && !removed_) why = {Kind::corrupt, log_.damage()};
    if (why.kind == Kind::corrupt) loss_ = why.text;
    logger("raft")->error("consensus has ended error=\"{}\"", why.text);
    ended_ = why;
    commits_.fail_all({Kind::unavailable, "consensus has ended: " + why.text});
    changed_.notify_all();
    wake_.notify_all();
    inbox_room_.notify_all();
}

PeerId RaftConsensus::peer_of(NodeId id) const {
    const auto found = log_.nodes().find(id);
    if (found != log_.nodes().end()) return found->second.peer;
    // Before its first snapshot a joiner knows its leader only from the stream.
    return contacts_.peer_of(id);
}

Hello RaftConsensus::hello(Purpose purpose, NodeId wanted) const {
    return {kWireVersion, purpose,
            node_id_,     log_.cluster_id().empty() ? expected_cluster_id_ : log_.cluster_id(),
            wanted,       options_.feature_level};
}

Async<> RaftConsensus::wait_change(SteadyTime deadline) {
    ICL_CO_TRY(check_running());
    const auto left = deadline - world_.steady_now();
    if (left <= left.zero()) co_return fail(Kind::timeout, "the deadline has passed");
    // Progress that nobody announces (a peer that answers again) is looked for once in a while.
    const auto pause = std::min<Duration>(left, options_.election_timeout / 2);
    auto woken =
        co_await with_deadline<void>(world_, pause, "a change of the cluster", changed_.wait());
    if (!woken && woken.error().kind == Kind::cancelled) co_return fail(woken.error());
    co_return check_running();
}

asio::awaitable<void> RaftConsensus::run_commit_limits() {
    co_await asio::this_coro::throw_if_cancelled(false);
    // Beside the driver: operations also wait before there is an engine, and behind a disk that
    // hangs.
    while (!stopping_ && !ended_) {
        auto slept = co_await world_.sleep_for(options_.election_timeout / kElectionTicks);
        if (!slept) co_return;
        commits_.expire(world_.steady_now());
    }
}

Async<CommitResult> RaftConsensus::commit(PinOperation operation) {
    return commit_logged({std::move(operation), {}});
}

Async<> RaftConsensus::set_cordon(PeerId peer, component::Cordon cordon) {
    state::LoggedOperation operation;
    operation.fact = state::FactKind::cordon;
    operation.payload = encode_cordon_fact({std::move(peer), cordon});
    operation.level = kCordonLevel;
    // An entry that cannot be read back would stop every peer.
    if (auto read = decode_cordon_fact(operation.payload); !read)
        co_return fail(Kind::invalid, read.error().text);
    ICL_CO_TRY(co_await wait_level(kCordonLevel, "cordons"));
    auto committed = co_await commit_logged(std::move(operation));
    if (!committed) co_return fail(committed.error());
    co_return ok();
}

std::vector<std::pair<PeerId, component::Cordon>> RaftConsensus::cordons() {
    const auto& all = log_.facts().cordons();
    return {all.begin(), all.end()};
}

Async<CommitResult> RaftConsensus::commit_logged(state::LoggedOperation operation) {
    ICL_CO_TRY(check_running());
    if (!hindrance_.empty()) co_return fail(Kind::unavailable, hindrance_);
    const auto deadline = world_.steady_now() +
                          std::chrono::duration_cast<SteadyTime::duration>(options_.commit_limit);
    ICL_CO_TRY(auto waiter, commits_.add(std::move(operation), deadline));
    wake_.notify_all();
    while (!waiter->result) {
        auto woken = co_await waiter->done.wait();
        if (!woken && !waiter->result && !commits_.give_up(waiter))
            co_return fail(Kind::unknown_outcome, "the caller no longer waits");
    }
    co_return std::move(*waiter->result);
}

std::vector<PeerId> RaftConsensus::peers() {
    std::set<PeerId> distinct;
    for (const auto& member : log_.members()) distinct.insert(peer_of(member.id));
    distinct.erase(PeerId{});
    return {distinct.begin(), distinct.end()};
}

std::vector<PeerId> RaftConsensus::voters() {
    std::set<PeerId> distinct;
    for (const auto& member : log_.members())
        if (!member.learner) distinct.insert(peer_of(member.id));
    distinct.erase(PeerId{});
    return {distinct.begin(), distinct.end()};
}

component::Standing RaftConsensus::standing(const PeerId& peer) {
    if (!nodes_of(peer).empty()) return component::Standing::member;
    // A member knows who the others are.
    return is_member() ? component::Standing::left : component::Standing::unknown;
}

bool RaftConsensus::may_act() {
    // The engine steps down when no quorum answered for an election timeout, so leading is a fresh
    // lease.
    return !stopping_ && !ended_ && status_.role == Role::leader && status_.transferee == 0;
}

std::optional<std::size_t> RaftConsensus::rank(const Cid&) {
    // Whoever leads comes first for all, and nobody second: another one leads when it cannot.
    if (!may_act()) return std::nullopt;
    return 0;
}

bool RaftConsensus::is_trusted(const PeerId&) {
    return true;
}

Async<> RaftConsensus::barrier(Duration limit) {
    const auto deadline =
        world_.steady_now() + std::chrono::duration_cast<SteadyTime::duration>(limit);
    if (planted(Bug::reads_not_awaited)) co_return ok();
    const auto number = reads_.join();
    wake_.notify_all();
    std::optional<std::uint64_t> index;
    while (true) {
        if (!index) index = reads_.index_for(number);
        const auto seen = planted(Bug::read_before_written) ? log_.applied().index : visible_;
        if (index && seen >= *index) co_return ok();
        auto changed = co_await wait_change(deadline);
        if (!changed && changed.error().kind == Kind::timeout)
            co_return fail(Kind::unavailable, "no quorum answered a read in time");
        if (!changed) co_return fail(changed.error());
    }
}

Async<> RaftConsensus::wait_ready(Duration limit) {
    const auto deadline =
        world_.steady_now() + std::chrono::duration_cast<SteadyTime::duration>(limit);
    while (!engine_ || !is_member() || status_.leader == 0) {
        auto changed = co_await wait_change(deadline);
        if (!changed && changed.error().kind == Kind::timeout)
            co_return fail(Kind::unavailable, !engine_ || !is_member()
                                                  ? "not a member of a cluster yet"
                                                  : "no leader is known");
        if (!changed) co_return fail(changed.error());
    }
    const auto left = deadline - world_.steady_now();
    ICL_CO_TRY(co_await barrier(std::max<Duration>(left, options_.election_timeout)));
    ready_ = true;
    co_return ok();
}

bool RaftConsensus::ready() {
    return ready_ && !stopping_ && !ended_ && status_.leader != 0;
}

asio::awaitable<Error> RaftConsensus::wait_ended() {
    while (!ended_ && !stopping_) {
        auto woken = co_await changed_.wait();
        if (!woken) co_return woken.error();
    }
    if (ended_) co_return *ended_;
    co_return Error{Kind::shutting_down, "consensus was stopped"};
}

Async<> RaftConsensus::stop() {
    if (!stopping_ && !ended_ && status_.role == Role::leader && log_.members().size() > 1) {
        // Handing over saves the others an election timeout; without an answer we go anyway.
        auto moved =
            co_await with_deadline<void>(world_, options_.election_timeout,
                                         "handing over leadership", move_leadership_from(node_id_));
        if (!moved) logger("raft")->debug("leadership was not handed over: {}", moved.error().text);
    }
    if (!stopping_) host_.handle(kRaftProtocol, {});
    stopping_ = true;
    commits_.fail_all({Kind::shutting_down, "consensus is closing"});
    changed_.notify_all();
    inbox_room_.notify_all();
    auto stopped = co_await tasks_.stop();
    leases_.clear();
    engine_.reset();
    if (node_id_ != 0) {
        std::string damage = ended_ ? loss_ : std::string();
        auto noted = co_await floor_.finish(std::move(damage));
        if (!noted)
            logger("raft")->warn("the floor under the log cannot be written error=\"{}\"",
                                 noted.error().text);
    }
    co_return stopped;
}

RaftStatus RaftConsensus::status() const {
    RaftStatus out;
    out.engine = status_;
    out.compacted = log_.compacted();
    out.pending_commits = commits_.pending();
    out.open_snapshots = leases_.size();
    out.feature_level = log_.facts().feature_level();
    out.running = engine_ != nullptr && !ended_;
    out.links = links_.size();
    out.streams = places_.open();
    out.contacts = contacts_.size();
    out.tasks = tasks_.size();
    out.given_bytes = links_.given_bytes();
    return out;
}

void RaftConsensus::transfer_leadership(const PeerId& to) {
    for (const auto& member : log_.members()) {
        if (member.learner || peer_of(member.id) != to) continue;
        request([id = member.id](Engine& engine) { return engine.transfer_leader(id); });
    }
}

}  // namespace ipfscluster::raft
