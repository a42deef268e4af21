#include "sim/raft/sim_cluster.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "base/assert.hpp"
#include "multi/multihash.hpp"

namespace ipfscluster::sim {

PeerId test_peer(int number) {
    // An Ed25519 peer id: identity multihash of the key's protobuf.
    Bytes bytes("\x00\x24\x08\x01\x12\x20", 6);
    bytes += raft::sha256("peer " + std::to_string(number));
    return PeerId::from_bytes(bytes).value();
}

Cid test_cid(std::uint64_t number) {
    return Cid::v1(Codec::raw,
                   multihash_digest(HashCode::sha2_256, std::to_string(number)).value());
}

raft::RaftOptions short_log() {
    raft::RaftOptions options;
    options.snapshot_threshold = 16;
    options.trailing_logs = 8;
    return options;
}

SimCluster::SimCluster(std::uint64_t seed, raft::RaftOptions options)
    : world(seed), options_(std::move(options)) {
    network.set_delay(std::chrono::microseconds(100), std::chrono::milliseconds(2));
}

SimCluster::~SimCluster() {
    for (auto& [number, peer] : peers_)
        if (!peer->stopped) bring_down(number);
    // On the strand: a cancellation from outside would be posted and could meet tasks that have
    // ended.
    asio::post(world.executor(), [this] { tasks_.cancel(); });
    world.run_until(
        [&] {
            return tasks_.size() == 0 &&
                   std::all_of(peers_.begin(), peers_.end(),
                               [](const auto& item) { return item.second->stopped; });
        },
        std::chrono::minutes(5));
    for (auto& [number, peer] : peers_) peer->raft.reset();
}

void SimCluster::add_founders(int count) {
    std::vector<PeerId> founders;
    for (int number = 0; number < count; ++number) founders.push_back(test_peer(number));
    for (int number = 0; number < count; ++number) {
        auto made = std::make_unique<Peer>(world);
        made->id = test_peer(number);
        made->options = options_;
        made->options.init_peerset = founders;
        made->disk = std::make_shared<storage::MemoryDisk>();
        peers_[number] = std::move(made);
    }
}

void SimCluster::add_joiner(int number) {
    auto made = std::make_unique<Peer>(world);
    made->id = test_peer(number);
    made->options = options_;
    made->options.staging = true;
    made->disk = std::make_shared<storage::MemoryDisk>();
    peers_[number] = std::move(made);
}

namespace {
raft::RaftOptions with_floor(const SimCluster::Peer& peer) {
    auto options = peer.options;
    options.floor = peer.floor;
    return options;
}
}  // namespace

void SimCluster::start(int number) {
    auto& peer = *peers_.at(number);
    ICL_ASSERT(peer.stopped, "the earlier life has not ended");
    peer.raft.reset();
    peer.state.reset();
    peer.host.reset();
    peer.store = std::make_unique<storage::MemoryStore>(peer.world, peer.disk);
    peer.store->acknowledge_without_sync(lie_);
    peer.state = std::make_unique<state::State>(*peer.store, peer.id);
    peer.host = network.add_host(peer.id);
    for (const auto& [other, known] : peers_) {
        if (other == number) continue;
        peer.host->add_addresses(known->id, {network.address_of(known->id)});
        if (known->host) known->host->add_addresses(peer.id, {network.address_of(peer.id)});
    }
    peer.raft = std::make_unique<raft::RaftConsensus>(peer.world, *peer.host, *peer.store,
                                                      *peer.state, with_floor(peer));
    peer.up = true;
    peer.stopped = false;
    note("start " + std::to_string(number));
    tasks_.spawn(run_start(number));
}

asio::awaitable<void> SimCluster::run_start(int number) {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto& peer = *peers_.at(number);
    auto opened = peer.state->open();
    if (!opened) {
        problems_ += "peer " + std::to_string(number) + " state: " + opened.error().text + "; ";
        co_return;
    }
    auto started = co_await peer.raft->start();
    if (!started && losses_expected_ && !peer.raft->loss().empty()) co_return;
    if (!started && started.error().kind != Kind::cancelled &&
        started.error().kind != Kind::conflict && peer.up) {
        problems_ += "peer " + std::to_string(number) + " start: " + started.error().text + "; ";
        co_return;
    }
    tasks_.spawn(watch_end(number));
}

asio::awaitable<void> SimCluster::watch_end(int number) {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto* peer = peers_.at(number).get();
    auto why = co_await peer->raft->wait_ended();
    if (!peer->up || why.kind == Kind::shutting_down || why.kind == Kind::cancelled ||
        why.kind == Kind::conflict || (losses_expected_ && !peer->raft->loss().empty()))
        co_return;
    problems_ += "peer " + std::to_string(number) + " ended: " + why.text + "; ";
}

void SimCluster::break_link(int a, int b, bool broken) {
    if (broken)
        network.break_link(peer(a).id, peer(b).id);
    else
        network.heal(peer(a).id, peer(b).id);
}

void SimCluster::start_all() {
    for (auto& [number, peer] : peers_) start(number);
}

asio::awaitable<void> SimCluster::run_stop(Peer* peer) {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto stopped = co_await peer->raft->stop();
    peer->stopped = true;
    static_cast<void>(stopped);
}

void SimCluster::bring_down(int number) {
    auto& peer = *peers_.at(number);
    if (!peer.up) return;
    peer.up = false;
    peer.store->crash();
    network.crash(peer.id);
    // Not a task of the group: it has to end even while the group is being cancelled.
    asio::co_spawn(world.executor(), run_stop(&peer), asio::detached);
}

void SimCluster::crash(int number) {
    note("crash " + std::to_string(number));
    bring_down(number);
}

void SimCluster::crash_and_wipe(int number) {
    crash(number);
    peers_.at(number)->disk = std::make_shared<storage::MemoryDisk>();
    peers_.at(number)->floor = std::make_shared<MemoryFloorFile>();
}

void SimCluster::stop(int number) {
    auto& peer = *peers_.at(number);
    note("stop " + std::to_string(number));
    peer.up = false;
    asio::co_spawn(world.executor(), run_stop(&peer), asio::detached);
}

int SimCluster::leader() {
    for (auto& [number, peer] : peers_)
        if (peer->up && peer->raft->may_act()) return number;
    return -1;
}

bool SimCluster::is_member(int number) {
    const int judge = leader();
    if (judge < 0 || !peers_.at(number)->up) return false;
    const auto members = peers_.at(judge)->raft->peers();
    return std::find(members.begin(), members.end(), peers_.at(number)->id) != members.end();
}

std::uint64_t SimCluster::submit_pin(int number, std::size_t name_bytes) {
    const auto id = next_record_++;
    records_[id] = {test_cid(id), true, Outcome::pending, {}};
    PinOperation operation;
    operation.pin.cid = test_cid(id);
    operation.pin.options.replication_min = operation.pin.options.replication_max = -1;
    operation.pin.options.name = "item " + std::to_string(id) + std::string(name_bytes, 'x');
    tasks_.spawn(run_commit(number, id, std::move(operation)));
    return id;
}

void SimCluster::submit_unpin(int number, std::uint64_t record) {
    records_[record].pin = false;
    records_[record].outcome = Outcome::pending;
    PinOperation operation;
    operation.kind = PinOperation::Kind::unpin;
    operation.pin.cid = records_[record].cid;
    tasks_.spawn(run_commit(number, record, std::move(operation)));
}

asio::awaitable<void> SimCluster::run_commit(int number, std::uint64_t record,
                                             PinOperation operation) {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto result = co_await peers_.at(number)->raft->commit(std::move(operation));
    auto& entry = records_[record];
    if (result) {
        entry.outcome = Outcome::acknowledged;
        note("acknowledged " + std::to_string(record) + " at " +
             std::to_string(result.value().index));
        co_return;
    }
    entry.error = result.error().text;
    switch (result.error().kind) {
        case Kind::unknown_outcome:
        case Kind::cancelled:
            entry.outcome = Outcome::unknown;
            break;
        default:
            entry.outcome = Outcome::refused;
    }
    note("failed " + std::to_string(record));
}

void SimCluster::ask_to_add(int number, int joiner) {
    tasks_.spawn(run_membership(number, peers_.at(joiner)->id, true));
}

void SimCluster::ask_to_remove(int number, int other) {
    tasks_.spawn(run_membership(number, peers_.at(other)->id, false));
}

asio::awaitable<void> SimCluster::run_membership(int number, PeerId other, bool add) {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto* peer = peers_.at(number).get();
    if (!peer->up) co_return;
    ++peer->busy;
    auto call = add ? peer->raft->add_peer(other) : peer->raft->remove_peer(other);
    auto done = co_await std::move(call);
    --peer->busy;
    note(std::string(add ? "add " : "remove ") + (done ? "ok" : "failed"));
}

std::size_t SimCluster::acknowledged() const {
    return static_cast<std::size_t>(std::count_if(
        records_.begin(), records_.end(),
        [](const auto& item) { return item.second.outcome == Outcome::acknowledged; }));
}

std::size_t SimCluster::pending() const {
    return static_cast<std::size_t>(
        std::count_if(records_.begin(), records_.end(),
                      [](const auto& item) { return item.second.outcome == Outcome::pending; }));
}

std::string SimCluster::settle(Duration limit) {
    network.heal_all();
    auto all_ended = [&] {
        return std::all_of(peers_.begin(), peers_.end(), [](const auto& item) {
            return item.second->up || item.second->stopped;
        });
    };
    if (!world.run_until(all_ended, limit)) return "a peer does not stop";
    for (auto& [number, peer] : peers_)
        if (!peer->up) start(number);
    if (!world.run_until([&] { return leader() >= 0 && pending() == 0; }, limit))
        return problems_ + "no leader, or operations without an answer";
    for (auto& [number, peer] : peers_) {
        if (!is_member(number)) continue;
        auto synced = await<void>(peer->raft->wait_ready(limit), limit * 2);
        // A removal in the log of a leader just elected is applied only now: the peer is right to
        // end if the leader says so, too.
        if (!synced && synced.error().kind == Kind::conflict &&
            world.run_until([&] { return leader() >= 0 && !is_member(number); }, limit))
            continue;
        if (!synced)
            return problems_ + "peer " + std::to_string(number) + ": " + synced.error().text;
    }
    return problems_;
}

std::string SimCluster::check_agreement() {
    std::map<Cid, std::uint64_t> reference;
    int reference_peer = -1;
    for (auto& [number, peer] : peers_) {
        if (!peer->up || !is_member(number)) continue;
        std::map<Cid, std::uint64_t> pins;
        auto source = peer->state->list();
        while (true) {
            auto item = await<std::optional<state::StoredPin>>(source->next());
            if (!item) return "peer " + std::to_string(number) + ": " + item.error().text;
            if (!item.value()) break;
            pins[item.value()->pin.cid] = item.value()->modification_index;
        }
        for (const auto& [id, record] : records_) {
            if (record.outcome != Outcome::acknowledged) continue;
            if (pins.contains(record.cid) != record.pin)
                return "peer " + std::to_string(number) + ": acknowledged " +
                       (record.pin ? "pin " : "unpin ") + std::to_string(id) + " is not in effect";
        }
        if (reference_peer >= 0 && pins != reference)
            return "peers " + std::to_string(reference_peer) + " and " + std::to_string(number) +
                   " have different pinsets";
        reference = pins;
        reference_peer = number;
    }
    // Committed entries that two peers both still hold are the same.
    for (auto& [left_number, left] : peers_) {
        for (auto& [right_number, right] : peers_) {
            if (left_number >= right_number || !is_member(left_number) || !is_member(right_number))
                continue;
            const auto& a = left->raft->log();
            const auto& b = right->raft->log();
            const auto end = std::min(a.applied().index, b.applied().index);
            for (auto index = std::max(a.first_index(), b.first_index()); index <= end; ++index) {
                auto x = a.entries(index, index + 1, UINT64_MAX);
                auto y = b.entries(index, index + 1, UINT64_MAX);
                if (!x || !y || x.value() != y.value())
                    return "peers " + std::to_string(left_number) + " and " +
                           std::to_string(right_number) + " differ in entry " +
                           std::to_string(index);
            }
        }
    }
    return {};
}

void SimCluster::note(std::string_view what) {
    trace_ += std::to_string(world.steady_now().time_since_epoch().count());
    trace_ += ' ';
    trace_ += what;
    trace_ += '\n';
}

}  // namespace ipfscluster::sim
