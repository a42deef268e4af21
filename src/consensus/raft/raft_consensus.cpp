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
/// `kMessageBytesMax`, which is less.
constexpr std::size_t kAppendBytesMax = kOperationBytesMax + 64 * 1024;
static_assert(kInflightMax * kAppendBytesMax + kAppendBytesMax <= kLinkBytesMax,
              "what is on its way to a follower fits its link");
static_assert(kMessageBytesMax <= kAppendBytesMax);

}  // namespace

RaftConsensus::RaftConsensus(World& world, net::Host& host, storage::Store& store,
                             state::State& state, RaftOptions options)
    : world_(world),
      host_(host),
      options_(std::move(options)),
      log_(store),
      origin_(random_bytes(world, kOriginBytes)),
      tasks_(world, "raft"),
      life_({[this] { return log_.damage(); },
             [this](const Error& why) {
                 commits_.fail_all({Kind::unavailable, "consensus has ended: " + why.text});
                 driver_.wake_all();
             }}),
      roster_(log_, host.id(), options_.feature_level),
      commits_(world.executor(), origin_, 2 * options_.election_timeout),
      links_(world, host, tasks_, options_.network_timeout, link_events()),
      leases_(world, store, state, log_),
      offers_(world, leases_, log_, options_),
      fetch_(world, host, state, log_, roster_, life_, tasks_, options_,
             [this](Bytes message) { driver_.take_message(std::move(message)); }),
      applied_(store, state, log_, roster_, commits_, leases_, options_.feature_level,
               [this](NodeId id) { forget_node(id); }),
      driver_({world, store, options_, log_, life_, roster_, links_, commits_, applied_, offers_,
               fetch_},
              origin_,
              {[this](Engine& engine) { return duties_.tend_members(engine); },
               [this](Engine& engine) { return duties_.tend_level(engine); }}),
      duties_(driver_, log_, roster_, links_, options_),
      loss_watch_(world, driver_, log_, roster_, life_, options_.election_timeout),
      greeter_(world, host, roster_, life_, options_.network_timeout),
      vouching_(greeter_, roster_),
      lookout_(world, greeter_, driver_, roster_, life_, options_.election_timeout),
      changes_(world, host, greeter_, driver_, duties_, log_, roster_, life_, options_),
      streams_({world, store, options_, log_, life_, roster_, driver_, duties_, changes_, leases_,
                fetch_, loss_watch_, lookout_, vouching_, tasks_}),
      founding_(world, host, store, greeter_, log_, roster_, life_, options_) {
    std::erase(options_.remembered, roster_.self());
}

LinkEvents RaftConsensus::link_events() {
    LinkEvents events;
    events.hello = [this](NodeId id) { return roster_.hello(Purpose::messages, id); };
    events.unreachable = [this](NodeId id) {
        driver_.request([id](Engine& engine) { return engine.report_unreachable(id); });
    };
    events.snapshot_lost = [this](NodeId id, std::uint64_t index) {
        driver_.request([id, index](Engine& engine) {
            return SnapshotOffers::report(engine, {id, index}, false);
        });
    };
    events.refused = [this](NodeId id, const Error& why, bool first) {
        if (why.kind == Kind::conflict) return life_.end_removed(why);
        if (why.kind == Kind::invalid) return life_.end({Kind::corrupt, why.text});
        if (first && why.kind == Kind::not_found)
            logger("raft")->warn("a member is gone node={:016x} error=\"{}\"", id, why.text);
        else if (first)
            logger("raft")->error("a peer refuses us peer={} error=\"{}\"",
                                  roster_.peer_of(id).to_string(), why.text);
    };
    return events;
}

void RaftConsensus::forget_node(NodeId id) {
    links_.end(id);
    roster_.contacts().erase(id);
    offers_.forget(id);
    loss_watch_.forget(id);
    streams_.forget(id);
}

RaftConsensus::~RaftConsensus() = default;

Async<> RaftConsensus::start() {
    ICL_CO_TRY(look_for_loss());
    host_.handle(kRaftProtocol,
                 [this](net::StreamPtr stream) { streams_.accept(std::move(stream)); });
    if (!log_.has_identity() || log_.members().empty()) {
        tasks_.spawn(run_commit_limits());
        tasks_.spawn(found_or_join());
        co_return ok();
    }
    roster_.become(make_node_id(roster_.self(), log_.incarnation()));
    if (roster_.is_removed(roster_.node())) {
        life_.end_removed({Kind::conflict,
                           "this peer was removed from the cluster; start it with --bootstrap to "
                           "join again"});
        co_return life_.check();
    }
    if (options_.found_alone)
        logger("raft")->warn("--found-alone has no effect: this peer has a cluster");
    auto started = run();
    if (!started && !log_.damage().empty()) {
        life_.lose(log_.damage());
        co_return fail(Kind::corrupt, log_.damage());
    }
    if (started) tasks_.spawn(run_commit_limits());
    co_return started;
}

Result<> RaftConsensus::run() {
    ICL_TRY(driver_.start(tasks_));
    tasks_.spawn(lookout_.run());
    fetch_.reconcile();
    return ok();
}

asio::awaitable<void> RaftConsensus::found_or_join() {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto done = co_await found_or_join_now();
    if (!done && done.error().kind != Kind::cancelled) life_.end(done.error());
}

Async<> RaftConsensus::found_or_join_now() {
    ICL_CO_TRY(const bool founded, co_await founding_.identify());
    ICL_CO_TRY(run());
    if (founded || options_.staging) co_return ok();
    co_return co_await founding_.ask_to_join();
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
    life_.lose(opened ? what_is_missing(log_, floor, roster_.self()) : opened.error().text);
    if (loss().empty()) return ok();
    return fail(Kind::corrupt, loss());
}

asio::awaitable<void> RaftConsensus::run_commit_limits() {
    co_await asio::this_coro::throw_if_cancelled(false);
    // Beside the driver: operations also wait before there is an engine, and behind a disk that
    // hangs.
    while (!life_.over()) {
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
    ICL_CO_TRY(co_await changes_.wait_level(kCordonLevel, "cordons"));
    auto committed = co_await commit_logged(std::move(operation));
    if (!committed) co_return fail(committed.error());
    co_return ok();
}

std::vector<std::pair<PeerId, component::Cordon>> RaftConsensus::cordons() {
    const auto& all = log_.facts().cordons();
    return {all.begin(), all.end()};
}

Async<CommitResult> RaftConsensus::commit_logged(state::LoggedOperation operation) {
    ICL_CO_TRY(life_.check());
    if (!life_.hindrance().empty()) co_return fail(Kind::unavailable, life_.hindrance());
    const auto deadline = world_.steady_now() +
                          std::chrono::duration_cast<SteadyTime::duration>(options_.commit_limit);
    ICL_CO_TRY(auto waiter, commits_.add(std::move(operation), deadline));
    driver_.wake();
    while (!waiter->result) {
        auto woken = co_await waiter->done.wait();
        if (!woken && !waiter->result && !commits_.give_up(waiter))
            co_return fail(Kind::unknown_outcome, "the caller no longer waits");
    }
    co_return std::move(*waiter->result);
}

component::Standing RaftConsensus::standing(const PeerId& peer) {
    if (!roster_.nodes_of(peer).empty()) return component::Standing::member;
    // A member knows who the others are.
    return roster_.is_member() ? component::Standing::left : component::Standing::unknown;
}

bool RaftConsensus::may_act() {
    // The engine steps down when no quorum answered for an election timeout, so leading is a fresh
    // lease.
    const auto& status = driver_.status();
    return !life_.over() && status.role == Role::leader && status.transferee == 0;
}

std::optional<std::size_t> RaftConsensus::rank(const Cid&) {
    // Whoever leads comes first for all, and nobody second: another one leads when it cannot.
    if (!may_act()) return std::nullopt;
    return 0;
}

Result<> RaftConsensus::trusted(const PeerId& peer) {
    if (!roster_.nodes_of(peer).empty()) return ok();
    const auto& nodes = log_.nodes();
    const bool was = std::any_of(nodes.begin(), nodes.end(), [&](const auto& item) {
        return item.second.peer == peer && item.second.removed;
    });
    // Whoever does not lead may have a part of the log still to come, in which it was added.
    return fail(may_act() ? Kind::denied : Kind::retryable,
                was ? "removed from this cluster" : "not a member of this cluster");
}

PeerId RaftConsensus::best_informed() {
    const auto& status = driver_.status();
    return status.role == Role::leader ? PeerId{} : roster_.peer_of(status.leader);
}

Async<> RaftConsensus::wait_ready(Duration limit) {
    const auto deadline =
        world_.steady_now() + std::chrono::duration_cast<SteadyTime::duration>(limit);
    const auto joined = [this] { return driver_.running() && roster_.is_member(); };
    while (!joined() || driver_.status().leader == 0) {
        auto changed = co_await driver_.wait_change(deadline);
        if (!changed && changed.error().kind == Kind::timeout)
            co_return fail(Kind::unavailable,
                           joined() ? "no leader is known" : "not a member of a cluster yet");
        if (!changed) co_return fail(changed.error());
    }
    const auto left = deadline - world_.steady_now();
    ICL_CO_TRY(co_await barrier(std::max<Duration>(left, options_.election_timeout)));
    ready_ = true;
    co_return ok();
}

bool RaftConsensus::ready() {
    return ready_ && !life_.over() && driver_.status().leader != 0;
}

asio::awaitable<Error> RaftConsensus::wait_ended() {
    while (!life_.over()) {
        auto woken = co_await driver_.wait_any_change();
        if (!woken) co_return woken.error();
    }
    if (life_.ended()) co_return *life_.ended();
    co_return Error{Kind::shutting_down, "consensus was stopped"};
}

Async<> RaftConsensus::stop() {
    const bool leads = driver_.status().role == Role::leader;
    if (!life_.over() && leads && roster_.members().size() > 1) {
        // Handing over saves the others an election timeout; without an answer we go anyway.
        auto moved = co_await with_deadline<void>(world_, options_.election_timeout,
                                                  "handing over leadership",
                                                  changes_.move_leadership_from(roster_.node()));
        if (!moved) logger("raft")->debug("leadership was not handed over: {}", moved.error().text);
    }
    if (life_.stop()) host_.handle(kRaftProtocol, {});
    commits_.fail_all({Kind::shutting_down, "consensus is closing"});
    driver_.wake_all();
    auto stopped = co_await tasks_.stop();
    leases_.clear();
    // Named: g++ 12 destroys a conditional temporary of an awaiting expression twice.
    std::string damage = life_.ended() ? loss() : std::string();
    auto noted = co_await driver_.finish(std::move(damage));
    if (!noted)
        logger("raft")->warn("the floor under the log cannot be written error=\"{}\"",
                             noted.error().text);
    co_return stopped;
}

RaftStatus RaftConsensus::status() const {
    RaftStatus out;
    out.engine = driver_.status();
    if (removed()) out.engine.id = roster_.node();
    out.compacted = log_.compacted();
    out.pending_commits = commits_.pending();
    out.open_snapshots = leases_.size();
    out.feature_level = log_.facts().feature_level();
    out.running = driver_.running() && !life_.ended();
    out.links = links_.size();
    out.streams = streams_.open();
    out.contacts = roster_.contacts().size();
    out.tasks = tasks_.size();
    out.given_bytes = links_.given_bytes();
    return out;
}

void RaftConsensus::transfer_leadership(const PeerId& to) {
    for (const auto& member : roster_.members()) {
        if (member.learner || roster_.peer_of(member.id) != to) continue;
        driver_.request([id = member.id](Engine& engine) { return engine.transfer_leader(id); });
    }
}

}  // namespace ipfscluster::raft
