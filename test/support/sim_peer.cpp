#include "support/sim_peer.hpp"

#include "base/assert.hpp"
#include "cluster/rpc_handlers.hpp"
#include "tracker/pins_to_hold.hpp"

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
    node.pin_timeout = 3s;
    node.request_timeout = 2s;
}

SimPeer::Content::Content(SimPeer& peer, state::State& state, storage::Store& store,
                          net::Host& host)
    : rows(peer.world, peer.rows_disk_),
      blocks(peer.world, 1ull << 30, peer.block_disk_),
      supply(blocks),
      bitswap(peer.world, host, supply),
      node({.world = peer.world,
            .blocks = blocks,
            .rows = rows,
            .fetcher = &bitswap,
            .host = &host,
            .self = peer.id,
            .options = peer.options_.node,
            .wanted = [&state, &store] { return tracker::pins_to_hold(state, store); }}) {}

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

SimPeer::Life::Life(SimPeer& peer, std::uint64_t life_number)
    : number(life_number),
      store(peer.world, peer.disk_),
      state(store, peer.id),
      host(peer.network_.add_host(peer.id)),
      content(peer.options_.embedded ? std::make_unique<Content>(peer, state, store, *host)
                                     : nullptr),
      ipfs(content ? static_cast<component::IpfsConnector&>(content->node) : peer.ipfs),
      consensus(peer.world, *host, store, state, peer.options_.raft),
      monitor(peer.world, *host, peer.options_.monitor, [this] { return consensus.peers(); }),
      allocator({"freespace"}),
      tracker(peer.world, store, state, ipfs, peer.options_.tracker),
      disk(ipfs, informer::DiskInformer::Type::freespace, peer.options_.metric_ttl),
      server(peer.world, *host,
             [this](const PeerId& other) { return consensus.is_trusted(other); }),
      client(peer.world, *host),
      peers(client),
      cluster(cluster::ClusterParts{.world = peer.world,
                                    .host = *host,
                                    .state = state,
                                    .consensus = consensus,
                                    .tracker = tracker,
                                    .ipfs = ipfs,
                                    .monitor = monitor,
                                    .allocator = allocator,
                                    .informers = {&disk},
                                    .peers = peers,
                                    .store = store},
              peer.options_.cluster),
      tasks(peer.world, "service"),
      clients(peer.world, "clients") {
    tracker.ask_holders_through(
        {.members = [this] { return consensus.peers(); },
         .alive = [this, lies = peer.options_.believe_holders_unasked](
                      const PeerId& other) { return lies || monitor.alive(other); },
         .status =
             [this, lies = peer.options_.believe_holders_unasked](PeerId other, Cid cid) {
                 return lies ? as_if_held(&state, std::move(cid))
                             : peers.status(std::move(other), std::move(cid));
             }});
    store.acknowledge_without_sync(peer.options_.acknowledge_without_sync);
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

void SimPeer::start(const std::vector<PeerId>& known, std::vector<Multiaddr> bootstrap) {
    ICL_ASSERT(stopped_, "the earlier life has not ended");
    life_.reset();
    life_ = std::make_unique<Life>(*this, ++life_number_);
    for (const auto& other : known)
        if (other != id) life_->host->add_addresses(other, {network_.address_of(other)});
    up_ = true;
    stopped_ = false;
    disk_broken_ = false;
    life_->tasks.spawn(run_start(std::move(bootstrap)));
}

asio::awaitable<void> SimPeer::run_start(std::vector<Multiaddr> bootstrap) {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto started = co_await start_parts();
    if (!started) {
        if (up_ && started.error().kind != Kind::cancelled)
            problem = "start: " + started.error().text;
        co_return;
    }
    life_->tasks.spawn(watch_end());
    if (!bootstrap.empty()) life_->tasks.spawn(join_through(std::move(bootstrap)));
}

Async<> SimPeer::start_parts() {
    auto& life = *life_;
    ICL_CO_TRY(life.state.open());
    life.tracker.set_identity({options_.cluster.peername, ipfs.own_id});
    if (life.content) life.content->bitswap.start();
    ICL_CO_TRY(co_await life.ipfs.start());
    ICL_CO_TRY(co_await life.monitor.start());
    cluster::register_rpc_handlers(life.server,
                                   {.api = life.cluster,
                                    .tracker = life.tracker,
                                    .ipfs = life.ipfs,
                                    .consensus = life.consensus,
                                    .alive = [&life] { return life.cluster.alive(); }});
    life.server.start();
    ICL_CO_TRY(co_await life.consensus.start());
    ICL_CO_TRY(co_await life.tracker.start());
    ICL_CO_TRY(co_await life.cluster.start());
    co_return ok();
}

asio::awaitable<void> SimPeer::watch_end() {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto why = co_await life_->consensus.wait_ended();
    if (!up_ || why.kind == Kind::shutting_down || why.kind == Kind::cancelled) co_return;
    if (disk_broken_) {
        crash();
        co_return;
    }
    // `conflict`: removed by the others. The service ends then.
    if (why.kind != Kind::conflict) problem = "consensus ended: " + why.text;
    stop();
}

asio::awaitable<void> SimPeer::join_through(std::vector<Multiaddr> bootstrap) {
    co_await asio::this_coro::throw_if_cancelled(false);
    while (!life_->consensus.ready()) {
        for (const auto& address : bootstrap) {
            auto joined = co_await life_->cluster.join(address);
            if (joined || joined.error().kind == Kind::cancelled) co_return;
        }
        auto slept = co_await world.sleep_for(500ms);
        if (!slept) co_return;
    }
}

void SimPeer::crash() {
    if (!up_) return;
    up_ = false;
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
    // The order of the service's shutdown; results do not matter to a peer that is going.
    auto& life = *life_;
    auto ended = co_await life.tasks.stop();
    ended = co_await life.clients.stop();
    ended = co_await life.cluster.stop();
    ended = co_await life.server.stop();
    ended = co_await life.consensus.stop();
    ended = co_await life.tracker.stop();
    ended = co_await life.monitor.stop();
    ended = co_await life.ipfs.stop();
    if (life.content) {
        ended = co_await life.content->bitswap.stop();
        ended = co_await life.content->blocks.close();
        ended = co_await life.content->rows.close();
    }
    ended = co_await life.store.close();
    ended = co_await life.host->close();
    stopped_ = true;
}

}  // namespace ipfscluster::test
