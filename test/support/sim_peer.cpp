#include "support/sim_peer.hpp"

#include "base/assert.hpp"
#include "informer/informers.hpp"

namespace ipfscluster::test {

using namespace std::chrono_literals;

SimPeerOptions::SimPeerOptions() {
    raft.snapshot_threshold = 16;
    raft.trailing_logs = 8;
    raft.commit_limit = 5s;
    raft.membership_limit = 5s;
    raft.network_timeout = 2s;
    monitor = {.check_interval = 500ms, .usual_ttl = 2s};
    tracker.retry_delay_first = 200ms;
    tracker.retry_delay_max = 2s;
    tracker.kept_ask_first = 200ms;
    tracker.kept_ask_max = 2s;
    cluster.defaults = {.replication_min = 1, .replication_max = 2};
    cluster.ping_interval = 1s;
    cluster.state_sync_interval = 5s;
    cluster.pin_recover_interval = 10s;
    cluster.peer_watch_interval = 1s;
    cluster.dial_timeout = 1s;
    cluster.repin_grace = 4s;
    cluster.duty_delay = 20s;
    node.pin_timeout = 3s;
    node.request_timeout = 2s;
}

SimPeer::Content::Content(SimPeer& peer, state::State& state, storage::Store& store,
                          net::Host& host)
    : rows(peer.world, peer.rows_disk_),
      blocks(peer.world, 1ull << 30, peer.block_disk_),
      supply(blocks),
      content({.world = peer.world,
               .host = host,
               .store = store,
               .state = state,
               .blocks = blocks,
               .rows = rows,
               .supply = supply},
              {.node = peer.options_.node}) {}

/// The answer of a holder that has the item, given for it without asking.
static Async<PinInfo> as_if_held(state::State* state, Cid cid) {
    ICL_CO_TRY(const auto stored, state->get(cid));
    PinInfo row;
    row.cid = std::move(cid);
    row.info.status = stored ? TrackerStatus::pinned : TrackerStatus::unpinned;
    if (!stored) co_return row;
    row.allocations = stored->pin.allocations;
    row.created = stored->pin.timestamp;
    co_return row;
}

peer::PeerOptions SimPeer::peer_options(std::vector<Multiaddr> bootstrap, Life* life) const {
    const auto ttl = options_.metric_ttl;
    peer::MakeConsensus make_raft = [life, options = options_.raft](const peer::PeerParts& on,
                                                                    component::PeerMonitor&) {
        auto made =
            std::make_unique<raft::RaftConsensus>(on.world, on.host, on.store, on.state, options);
        life->raft = made.get();
        return made;
    };
    return {
        .consensus = options_.consensus ? options_.consensus : std::move(make_raft),
        .monitor = options_.monitor,
        .tracker = options_.tracker,
        .cluster = options_.cluster,
        .allocate_by = {"freespace"},
        .join = {.bootstrap = std::move(bootstrap),
                 .dial_timeout = options_.cluster.dial_timeout,
                 .retry = 500ms},
        .informers = [ttl](component::IpfsConnector& of, component::PinTracker&) {
            using informer::DiskInformer;
            peer::Informers out;
            out.push_back(std::make_unique<DiskInformer>(of, DiskInformer::Type::freespace, ttl));
            return out;
        }};
}

SimPeer::Life::Life(SimPeer& machine, std::uint64_t life_number, std::vector<Multiaddr> bootstrap)
    : number(life_number),
      store(machine.world, machine.disk_),
      state(store, machine.id),
      host(machine.network_.add_host(machine.id)),
      content(machine.options_.embedded ? std::make_unique<Content>(machine, state, store, *host)
                                        : nullptr),
      ipfs(content ? static_cast<component::IpfsConnector&>(content->content.node())
                   : machine.ipfs),
      peer({.world = machine.world,
            .host = *host,
            .store = store,
            .state = state,
            .ipfs = ipfs,
            .content = content ? &content->content : nullptr,
            .peerstore = machine.peerstore},
           machine.peer_options(std::move(bootstrap), this)),
      consensus(peer.consensus()),
      monitor(peer.monitor()),
      tracker(peer.tracker()),
      cluster(peer.cluster()),
      starting(machine.world, "start"),
      clients(machine.world, "clients") {
    store.acknowledge_without_sync(machine.options_.acknowledge_without_sync);
    if (machine.options_.believe_holders_unasked)
        peer.tracker().ask_holders_through(
            {.members = [this] { return consensus.known(); },
             .alive = [](const PeerId&) { return true; },
             .status = [this](PeerId, Cid cid) { return as_if_held(&state, std::move(cid)); }});
}

SimPeer::SimPeer(SimWorld& shared, net::MemoryNetwork& network, PeerId peer_id,
                 SimPeerOptions options)
    : id(std::move(peer_id)),
      world(shared),
      ipfs(world),
      network_(network),
      options_(std::move(options)) {
    ipfs.repo.storage_max = 1ull << 40;
    ipfs.own_id.id = id;
}

SimPeer::~SimPeer() {
    ICL_ASSERT(stopped_, "a simulated peer must be stopped");
}

void SimPeer::start(std::vector<Multiaddr> bootstrap) {
    ICL_ASSERT(stopped_, "the earlier life has not ended");
    life_.reset();
    life_ = std::make_unique<Life>(*this, ++life_number_, std::move(bootstrap));
    peerstore.process_gone = false;
    up_ = true;
    stopped_ = false;
    disk_broken_ = false;
    life_->starting.spawn(run_start());
}

asio::awaitable<void> SimPeer::run_start() {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto started = co_await start_parts();
    if (!started) {
        if (up_ && started.error().kind != Kind::cancelled)
            problem = "start: " + started.error().text;
        co_return;
    }
    life_->starting.spawn(watch_end());
}

Async<> SimPeer::start_parts() {
    auto& life = *life_;
    ICL_CO_TRY(life.state.open());
    ICL_CO_TRY(co_await life.peer.learn_addresses());
    ICL_CO_TRY(co_await life.peer.start());
    // As a daemon does that answers: it says who it is.
    if (!life.content) life.peer.tracker().set_identity({options_.cluster.peername, ipfs.own_id});
    co_return ok();
}

asio::awaitable<void> SimPeer::watch_end() {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto why = co_await life_->peer.wait_ended();
    if (!up_ || why.kind == Kind::shutting_down || why.kind == Kind::cancelled) co_return;
    if (disk_broken_) {
        crash();
        co_return;
    }
    // `conflict`: removed by the others. The service ends then.
    if (why.kind != Kind::conflict) problem = "consensus ended: " + why.text;
    stop();
}

void SimPeer::crash() {
    if (!up_) return;
    up_ = false;
    peerstore.process_gone = true;
    life_->store.crash();
    if (life_->content) {
        life_->content->rows.crash();
        life_->content->blocks.crash();
    }
    network_.crash(id);
    asio::co_spawn(world.executor(), end_life(), asio::detached);
}

void SimPeer::crash_and_wipe() {
    crash();
    may_hold_more = true;
    disk_ = std::make_shared<storage::MemoryDisk>();
}

void SimPeer::break_disk(std::uint64_t nth_sync) {
    if (!up_) return;
    disk_broken_ = true;
    life_->store.fail_sync(nth_sync,
                           Error{Kind::internal, "the disk reports an input/output error"});
}

void SimPeer::stop() {
    if (!up_) return;
    up_ = false;
    asio::co_spawn(world.executor(), end_life(), asio::detached);
}

asio::awaitable<void> SimPeer::end_life() {
    co_await asio::this_coro::throw_if_cancelled(false);
    // Results do not matter to a peer that is going.
    auto& life = *life_;
    peer::Shutdown shutdown(world);
    peer::Hurry hurry(world);
    auto ended = co_await life.starting.stop();
    co_await life.peer.stop_tasks(&shutdown);
    ended = co_await life.clients.stop();
    co_await life.peer.stop(&shutdown, &hurry, false);
    if (life.content) {
        ended = co_await life.content->blocks.close();
        ended = co_await life.content->rows.close();
    }
    ended = co_await life.store.close();
    ended = co_await life.host->close();
    stopped_ = true;
}

}  // namespace ipfscluster::test
