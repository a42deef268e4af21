#include "support/sim_peer.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "blockstore/pin_table.hpp"
#include "consensus/raft/loss.hpp"
#include "informer/informers.hpp"
#include "state/kept.hpp"

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
      blocks(peer.world, peer.blocks_bytes_max_, peer.block_disk_),
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
    auto raft = options_.raft;
    // A disk that lies is to be noticed by what clients were told, also where nothing else tells.
    if (!options_.acknowledge_without_sync) raft.floor = floor_;
    peer::MakeConsensus make_raft = [life, options = std::move(raft)](const peer::PeerParts& on,
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
      ipfs(shared),
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
    if (!started && data_lost_ && !life_->raft->loss().empty()) co_return co_await put_data_aside();
    // Removed while it was down, or a moment before it died: the service says so and ends.
    if (!started && up_ && started.error().kind == Kind::conflict && life_->consensus.removed()) {
        stop();
        co_return;
    }
    // The disk was told to fail, and did before the start had ended.
    if (!started && disk_broken_) co_return crash();
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
    // `conflict`: removed by the others. The service ends then. What is lost is judged by the next
    // start.
    const bool known = data_lost_ && !life_->raft->loss().empty();
    if (why.kind != Kind::conflict && !known) problem = "consensus ended: " + why.text;
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

std::shared_ptr<storage::MemoryDisk> SimPeer::new_disk() {
    auto disk = std::make_shared<storage::MemoryDisk>();
    disk->keep_synced(kTailBatchesMax);
    return disk;
}

void SimPeer::crash_and_wipe() {
    crash();
    may_hold_more = true;
    data_lost_ = false;
    disk_ = new_disk();
    floor_ = std::make_shared<MemoryFloorFile>();
}

Async<bool> SimPeer::others_are_whole() {
    std::vector<PeerId> others;
    const auto& log = life_->raft->log();
    for (const auto& voter : log.members())
        if (const auto known = log.nodes().find(voter.id);
            !voter.learner && known != log.nodes().end() && known->second.peer != id)
            others.push_back(known->second.peer);
    if (others.empty()) others = peerstore.members;
    std::erase(others, id);
    auto whole = co_await raft::quorum_is_intact(world, *life_->host, std::move(others),
                                                 options_.raft.network_timeout);
    co_return whole;
}

/// As the service does with data that is not whole: once the others say that theirs is, this peer
/// begins anew.
asio::awaitable<void> SimPeer::put_data_aside() {
    co_await asio::this_coro::throw_if_cancelled(false);
    while (up_) {
        auto whole = co_await others_are_whole();
        if (!whole) co_return;
        if (whole.value()) {
            ++came_back_anew;
            co_return crash_and_wipe();
        }
        auto slept = co_await world.sleep_for(1s);
        if (!slept) co_return;
    }
}

void SimPeer::fill_database(std::uint64_t nth_write) {
    if (!up_) return;
    disk_broken_ = true;
    life_->store.fail_write(nth_write, Error{Kind::disk_full, "no space left on the device"});
}

void SimPeer::fill_disk(bool full) {
    const Error error{Kind::disk_full, "no space left on the device"};
    ipfs.full = full ? std::optional<Error>(error) : std::nullopt;
    ipfs.repo.repo_size = full ? ipfs.repo.storage_max : 0;
    // 0 would be no bound.
    blocks_bytes_max_ = full ? std::max<std::uint64_t>(1, block_disk_->bytes) : kBlocksBytesMax;
    if (up_ && life_->content) life_->content->blocks.set_storage_max(blocks_bytes_max_);
}

bool SimPeer::crash_and_lose_tail(std::size_t batches) {
    if (!up_) return false;
    const auto& log = life_->raft->log();
    if (!floor_->floor || floor_->floor->rounds != log.rounds()) return false;
    crash();
    data_lost_ = true;
    disk_->lose_synced(batches);
    return true;
}

bool SimPeer::stands_with_loss() const {
    return up_ && data_lost_ && !life_->raft->loss().empty() && !life_->raft->status().running;
}

void SimPeer::accept_loss() {
    ICL_ASSERT(stands_with_loss(), "nothing to accept");
    crash();
    // A snapshot may lead past what was told to the daemon and lost.
    may_hold_more = true;
    data_lost_ = false;
    const auto removed = floor_->remove();
    ICL_ASSERT(removed, "a floor in memory goes");
}

void SimPeer::crash_and_damage(bool log_entry) {
    if (!up_) return;
    const auto last = life_->raft->log().last_index();
    crash();
    data_lost_ = true;
    Bytes key = "hard_state";
    if (log_entry) {
        key.clear();
        put_be64(key, last);
    }
    const auto family = log_entry ? storage::Family::raft_log : storage::Family::raft_meta;
    if (!disk_->get(family, key, disk_->sequence())) return;
    storage::Batch batch;
    batch.put(family, std::move(key), "x");
    disk_->apply(batch);
    disk_->mark_synced(disk_->sequence());
}

std::set<Cid> SimPeer::keeps(const std::map<Cid, std::vector<Bytes>>& items, bool certain) {
    const auto copy_of = [certain](const storage::MemoryDisk& disk) {
        auto copy = std::make_shared<storage::MemoryDisk>(disk);
        if (certain) copy->lose_unsynced(0);
        return copy;
    };
    storage::MemoryStore rows(world, copy_of(*rows_disk_));
    storage::MemoryStore store(world, copy_of(*disk_));
    const blockstore::PinTable pins(rows);
    state::State pinset(store, id);
    std::set<Cid> out;
    const auto opened = pinset.open();
    for (const auto& [item, blocks] : items) {
        const bool whole = std::all_of(blocks.begin(), blocks.end(), [&](const Bytes& block) {
            const auto found = block_disk_->blocks.find(block);
            return found != block_disk_->blocks.end() && (found->second.durable || !certain);
        });
        if (!whole) continue;
        const auto pinned = pins.get(item);
        const auto stored =
            opened ? pinset.get(item)
                   : Result<std::optional<state::StoredPin>>(std::optional<state::StoredPin>());
        const auto kept = state::read_kept(store, item);
        const bool wanted =
            (pinned && pinned.value()) || (kept && kept.value()) ||
            (stored && stored.value() && pinset.holding().holds(stored.value()->pin));
        if (wanted) out.insert(item);
    }
    return out;
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
