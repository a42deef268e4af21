#include "support/sim_cluster.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "dag/importer.hpp"
#include "multi/key_pair.hpp"
#include "multi/multihash.hpp"
#include "state/kept.hpp"

namespace ipfscluster::test {

using namespace std::chrono_literals;

namespace {

PeerId sim_id(std::size_t number) {
    Bytes seed(32, static_cast<char>(number + 1));
    seed[0] = static_cast<char>(number + 1 + (number + 1) / 256);
    return ed25519_from_seed(seed).id;
}

/// The clock of the cluster is no closer to the true time than this.
constexpr SteadyTime::duration kExpirySlack = 3s;
/// Nothing that is due stands for longer in a cluster that is whole.
constexpr SteadyTime::duration kExpiryPatience = 30s;

constexpr std::string_view kOperationPrefix = "operation ";

std::string operation_name(int number) {
    return std::string(kOperationPrefix) + std::to_string(number);
}

/// As Operation::found; a pin that no operation made is none of theirs.
std::uint64_t found_in(const Pin& pin) {
    const std::string_view name = pin.options.name;
    if (!name.starts_with(kOperationPrefix)) return UINT64_MAX;
    return std::strtoull(pin.options.name.c_str() + kOperationPrefix.size(), nullptr, 10) + 1;
}

}  // namespace

SimCluster::SimCluster(std::uint64_t seed, int founders, SimPeerOptions options)
    : world(seed), options_(std::move(options)) {
    for (int i = 0; i < founders; ++i)
        options_.raft.init_peerset.push_back(sim_id(static_cast<std::size_t>(i)));
    for (int i = 0; i < founders; ++i) {
        auto own = options_;
        own.cluster.peername = "peer " + std::to_string(i);
        peers_.push_back(
            std::make_unique<SimPeer>(world, network, sim_id(static_cast<std::size_t>(i)), own));
    }
}

SimCluster::~SimCluster() {
    network.heal_all();
    for (auto& peer : peers_) peer->crash();
    const bool ended = world.run_until(
        [&] {
            return std::all_of(peers_.begin(), peers_.end(),
                               [](const auto& p) { return p->stopped(); });
        },
        5min);
    if (!ended) std::fprintf(stderr, "a simulated peer does not end\n");
    // What was under way on the network ends by itself.
    world.run_for(1s);
    peers_.clear();
}

void SimCluster::start(int number) {
    auto& started = peer(number);
    note("start " + std::to_string(number));
    std::vector<Multiaddr> bootstrap;
    if (started.joiner)
        for (const auto& other : peers_)
            if (other->member && !other->joiner)
                bootstrap.push_back(network.address_of(other->id).with_peer(other->id));
    // Founders are told of each other; a newcomer knows nobody but those it asks. Later lives know
    // what the earlier ones have learnt.
    if (!started.joiner && started.life_number() == 0)
        for (const auto& other : peers_)
            if (other->id != started.id)
                started.peerstore.addresses.push_back(
                    network.address_of(other->id).with_peer(other->id));
    started.start(std::move(bootstrap));
}

void SimCluster::start_all() {
    for (int number = 0; number < size(); ++number) start(number);
}

int SimCluster::add_joiner() {
    auto own = options_;
    own.raft.init_peerset.clear();
    own.raft.staging = true;
    const int number = size();
    own.cluster.peername = "peer " + std::to_string(number);
    peers_.push_back(
        std::make_unique<SimPeer>(world, network, sim_id(static_cast<std::size_t>(number)), own));
    peers_.back()->joiner = true;
    start(number);
    return number;
}

int SimCluster::leader() {
    for (int number = 0; number < size(); ++number)
        if (peer(number).up() && peer(number).life().consensus.may_act()) return number;
    return -1;
}

// --- clients

int SimCluster::new_operation(Operation operation) {
    operation.number = static_cast<int>(operations_.size());
    operation.begin = world.steady_now();
    operations_.push_back(std::move(operation));
    return operations_.back().number;
}

int SimCluster::submit_pin(int number, Cid cid, int min, int max) {
    const int operation =
        new_operation({.cid = std::move(cid), .pin = true, .min = min, .max = max});
    peer(number).life().clients.spawn(run_operation(this, &peer(number), operation));
    return operation;
}

int SimCluster::submit_pin_for(int number, Cid cid, int holders, Duration life) {
    const auto expires =
        world.steady_now() + std::chrono::duration_cast<SteadyTime::duration>(life);
    const int operation = new_operation(
        {.cid = std::move(cid), .pin = true, .min = holders, .max = holders, .expires = expires});
    peer(number).life().clients.spawn(run_operation(this, &peer(number), operation));
    return operation;
}

int SimCluster::submit_move(int number, Cid cid, int to) {
    const int operation = new_operation(
        {.cid = std::move(cid), .pin = true, .min = 1, .max = 1, .holders = {peer(to).id}});
    peer(number).life().clients.spawn(run_operation(this, &peer(number), operation));
    return operation;
}

int SimCluster::submit_unpin(int number, Cid cid) {
    const int operation = new_operation({.cid = std::move(cid), .pin = false});
    peer(number).life().clients.spawn(run_operation(this, &peer(number), operation));
    return operation;
}

asio::awaitable<void> SimCluster::run_operation(SimCluster* cluster, SimPeer* peer, int number) {
    co_await asio::this_coro::throw_if_cancelled(false);
    const auto life = peer->life_number();
    const auto wish = cluster->operations_[static_cast<std::size_t>(number)];
    Pin pin;
    pin.cid = wish.cid;
    pin.options.name = operation_name(number);
    pin.options.replication_min = wish.min;
    pin.options.replication_max = wish.max;
    pin.allocations = wish.holders;
    if (wish.expires != SteadyTime::max())
        pin.options.expire_at =
            cluster->world.system_now() + (wish.expires - cluster->world.steady_now());
    std::optional<Error> error;
    if (wish.pin) {
        auto done = co_await peer->life().cluster.pin(std::move(pin));
        if (!done) error = done.error();
    } else {
        auto done = co_await peer->life().cluster.unpin(wish.cid);
        if (!done) error = done.error();
        auto& found = cluster->operations_[static_cast<std::size_t>(number)].found;
        if (done) found = found_in(done.value());
        if (!done && error->kind == Kind::not_found) found = 0;
    }
    cluster->record_answer(peer, life, number, std::move(error));
}

int SimCluster::submit_read(int number, Cid cid) {
    const int operation = new_operation({.cid = std::move(cid), .pin = false, .read = true});
    peer(number).life().clients.spawn(run_read(this, &peer(number), operation));
    return operation;
}

Async<std::uint64_t> SimCluster::read_current(SimPeer* peer, Cid cid) {
    ICL_CO_TRY(co_await peer->life().consensus.barrier(5s));
    ICL_CO_TRY(auto stored, peer->life().state.get(cid));
    co_return stored ? found_in(stored->pin) : 0;
}

asio::awaitable<void> SimCluster::run_read(SimCluster* cluster, SimPeer* peer, int number) {
    co_await asio::this_coro::throw_if_cancelled(false);
    const auto life = peer->life_number();
    auto& operation = cluster->operations_[static_cast<std::size_t>(number)];
    auto found = co_await read_current(peer, operation.cid);
    std::optional<Error> error;
    if (found)
        cluster->operations_[static_cast<std::size_t>(number)].found = found.value();
    else
        error = found.error();
    cluster->record_answer(peer, life, number, std::move(error));
}

std::optional<HistoryCall> SimCluster::as_call(const Operation& o) {
    HistoryCall call{.begin = o.begin.time_since_epoch().count(),
                     .end = o.end.time_since_epoch().count()};
    const bool answered = o.outcome == Outcome::acknowledged;
    if (o.read || (!o.pin && o.outcome == Outcome::refused)) {
        // An unpin that was refused for want of a pin has read that there is none.
        if (!o.found || (o.read && !answered)) return std::nullopt;
        call.kind = HistoryCall::Kind::read;
        call.value = *o.found;
        return call;
    }
    if (o.outcome == Outcome::refused) return std::nullopt;
    call.unknown = !answered;
    call.kind = o.pin ? HistoryCall::Kind::pin : HistoryCall::Kind::unpin;
    if (o.pin) {
        call.value = static_cast<std::uint64_t>(o.number) + 1;
    } else {
        call.any_value = !answered;
        call.value = o.found.value_or(0);
    }
    return call;
}

std::optional<HistoryCall> SimCluster::expiry_of(const Operation& o) {
    if (o.expires == SteadyTime::max() || o.outcome == Outcome::refused) return std::nullopt;
    HistoryCall call;
    call.kind = HistoryCall::Kind::unpin;
    call.value = static_cast<std::uint64_t>(o.number) + 1;
    call.unknown = true;
    call.begin = (o.expires - kExpirySlack).time_since_epoch().count();
    call.end = call.begin;
    return call;
}

std::uint64_t SimCluster::standing(const Cid& cid) {
    for (const auto& each : peers_) {
        if (!each->up() || !each->member) continue;
        const auto stored = each->life().state.get(cid);
        return stored && stored.value() ? found_in(stored.value()->pin) : 0;
    }
    return 0;
}

void SimCluster::record_answer(SimPeer* peer, std::uint64_t life, int number,
                               std::optional<Error> error) {
    auto& operation = operations_[static_cast<std::size_t>(number)];
    operation.end = world.steady_now();
    // A peer that died meanwhile has answered nobody.
    if (!peer->up() || peer->life_number() != life) {
        operation.outcome = Outcome::unknown;
        operation.error = "the peer died";
    } else if (!error) {
        operation.outcome = Outcome::acknowledged;
    } else {
        operation.error = error->text;
        const bool open = error->kind == Kind::unknown_outcome || error->kind == Kind::cancelled ||
                          error->kind == Kind::shutting_down || error->kind == Kind::timeout;
        operation.outcome = open ? Outcome::unknown : Outcome::refused;
    }
    note(operation_name(number) + " outcome " +
         std::to_string(static_cast<int>(operation.outcome)));
}

// --- content

namespace {

component::AddParams small_blocks() {
    component::AddParams params;
    params.chunker = "size-4096";
    params.cid_version = 1;
    params.raw_leaves = true;
    return params;
}

}  // namespace

namespace {

struct BlockNames final : dag::ImportSink {
    Result<> on_block(dag::Block&& block) override {
        names.emplace_back(block.cid.multihash());
        return ok();
    }
    Result<> on_entry(dag::AddedEntry&&) override { return ok(); }
    std::vector<Bytes> names;
};

Cid import(const Bytes& content, BlockNames& into) {
    const auto params = small_blocks();
    dag::ImportRequest request;
    request.chunker = params.chunker;
    request.cid_version = params.cid_version;
    request.raw_leaves = params.raw_leaves;
    dag::Importer importer(dag::check_import(request).value(), into);
    const bool fine = importer.begin_file("") && importer.write(content) && importer.end_file();
    ICL_ASSERT(fine, "the test's content can be imported");
    return importer.finish().value().cid;
}

}  // namespace

Cid SimCluster::cid_of(const Bytes& content) {
    BlockNames ignored;
    return import(content, ignored);
}

std::vector<Bytes> SimCluster::blocks_of(const Bytes& content) {
    BlockNames blocks;
    import(content, blocks);
    return std::move(blocks.names);
}

Async<Cid> SimCluster::add_content(SimPeer* peer, component::AddParams params, Bytes content) {
    ICL_CO_TRY(auto session, co_await peer->life().cluster.add(std::move(params)));
    ICL_CO_TRY(co_await session->begin_file(""));
    ICL_CO_TRY(co_await session->write(std::move(content)));
    ICL_CO_TRY(co_await session->end_file());
    auto root = co_await session->finish();
    co_return root;
}

asio::awaitable<void> SimCluster::run_add(SimCluster* cluster, SimPeer* peer, int number,
                                          Bytes content) {
    co_await asio::this_coro::throw_if_cancelled(false);
    const auto life = peer->life_number();
    const auto wish = cluster->operations_[static_cast<std::size_t>(number)];
    auto params = small_blocks();
    params.pin.name = operation_name(number);
    params.pin.replication_min = wish.min;
    params.pin.replication_max = wish.max;
    auto root = co_await add_content(peer, std::move(params), std::move(content));
    std::optional<Error> error;
    if (!root) error = root.error();
    if (root && root.value() != wish.cid) peer->problem = "an add gave another CID than expected";
    cluster->record_answer(peer, life, number, std::move(error));
}

int SimCluster::submit_add(int number, Cid cid, Bytes content, int min, int max) {
    const int operation =
        new_operation({.cid = std::move(cid), .pin = true, .min = min, .max = max});
    peer(number).life().clients.spawn(run_add(this, &peer(number), operation, std::move(content)));
    return operation;
}

Result<Cid> SimCluster::store(int number, Bytes content) {
    auto params = small_blocks();
    params.local = true;
    params.no_pin = true;
    return await<Cid>(number, add_content(&peer(number), std::move(params), std::move(content)));
}

Result<std::set<Cid>> SimCluster::held(int number) {
    std::set<Cid> out;
    ICL_TRY(auto rows,
            collect<IpfsPinInfo>(number, peer(number).life().ipfs.pin_ls({"recursive", "direct"})));
    for (auto& row : rows) out.insert(std::move(row.cid));
    return out;
}

Result<Bytes> SimCluster::read(int number, Cid cid) {
    ICL_TRY(auto pieces, await<SourcePtr<Bytes>>(
                             number, peer(number).life().ipfs.cat(std::move(cid), 0, UINT64_MAX)));
    ICL_TRY(auto list, collect<Bytes>(number, std::move(pieces)));
    Bytes out;
    for (const auto& piece : list) out += piece;
    return out;
}

std::size_t SimCluster::count(Outcome outcome) const {
    return static_cast<std::size_t>(
        std::count_if(operations_.begin(), operations_.end(),
                      [&](const auto& o) { return o.outcome == outcome; }));
}

// --- checks

Result<SimCluster::PinSet> SimCluster::pinset(int number) {
    PinSet pins;
    ICL_TRY(auto rows, collect<state::StoredPin>(number, peer(number).life().state.list()));
    for (auto& row : rows) {
        auto cid = row.pin.cid;
        pins.emplace(std::move(cid), std::move(row));
    }
    return pins;
}

std::string SimCluster::check_promises(const PinSet& pins) const {
    std::map<Cid, std::vector<Operation>> by_cid;
    for (const auto& operation : operations_)
        if (!operation.read) by_cid[operation.cid].push_back(operation);
    for (const auto& [cid, pin] : pins)
        if (!by_cid.contains(cid)) return "a pin that nobody asked for: " + cid.to_string();
    for (const auto& [cid, operations] : by_cid) {
        const auto at = pins.find(cid);
        auto text = check_cid(cid, operations, at == pins.end() ? nullptr : &at->second);
        if (!text.empty()) return text;
    }
    return {};
}

std::string SimCluster::check_cid(const Cid& cid, const std::vector<Operation>& operations,
                                  const state::StoredPin* pin) const {
    // An acknowledged pin that began after `o` had ended has overwritten it: a later arrival of `o`
    // was planned on another index and is refused. After an acknowledged unpin only what was never
    // answered may still come.
    const auto overwritten = [&](const Operation& o) {
        return std::any_of(operations.begin(), operations.end(), [&](const Operation& later) {
            if (later.outcome != Outcome::acknowledged || later.begin <= o.end) return false;
            return later.pin || o.outcome == Outcome::acknowledged || !o.pin;
        });
    };
    const auto describe = [&](const char* what) {
        std::string text = std::string(what) + " " + cid.to_string() +
                           (pin ? " is " + pin->pin.options.name : " is absent") + "; history:";
        for (const auto& o : operations) {
            text += "\n  " + std::to_string(o.number) + (o.pin ? " pin" : " unpin") + " outcome " +
                    std::to_string(static_cast<int>(o.outcome)) + " from " +
                    std::to_string(o.begin.time_since_epoch().count()) + " to " +
                    std::to_string(o.end.time_since_epoch().count()) + " " + o.error;
        }
        return text;
    };
    if (pin) {
        for (const auto& o : operations) {
            if (!o.pin || operation_name(o.number) != pin->pin.options.name) continue;
            if (o.outcome == Outcome::refused) return describe("a refused operation happened:");
            if (overwritten(o)) return describe("an acknowledged operation is lost:");
            return {};
        }
        return describe("a pin is not what anybody asked for:");
    }
    bool any_pin_acknowledged = false;
    for (const auto& o : operations) {
        any_pin_acknowledged =
            any_pin_acknowledged || (o.pin && o.outcome == Outcome::acknowledged);
        const bool may_have_won =
            o.outcome == Outcome::acknowledged || o.outcome == Outcome::unknown;
        const bool gone = !o.pin || judged_at_ >= o.expires - kExpirySlack;
        if (gone && may_have_won && !overwritten(o)) return {};
    }
    if (!any_pin_acknowledged) return {};
    return describe("an acknowledged pin is lost:");
}

std::string SimCluster::check_expired(const PinSet& pins) {
    for (const auto& [cid, row] : pins) {
        const auto expire_at = row.pin.options.expire_at;
        if (expire_at != kTimeUnset && expire_at + kExpiryPatience < world.system_now())
            return cid.to_string() + " should have ended: " + row.pin.options.name;
    }
    return {};
}

std::string SimCluster::check_allocations(const PinSet& pins) const {
    for (const auto& [cid, row] : pins) {
        const auto& pin = row.pin;
        const auto holders = static_cast<int>(pin.allocations.size());
        if (pin.everywhere()
                ? holders != 0
                : holders < pin.options.replication_min || holders > pin.options.replication_max)
            return cid.to_string() + " has " + std::to_string(holders) + " holders, wanted " +
                   std::to_string(pin.options.replication_min) + " to " +
                   std::to_string(pin.options.replication_max);
        for (const auto& holder : pin.allocations) {
            if (std::count(pin.allocations.begin(), pin.allocations.end(), holder) != 1)
                return cid.to_string() + " names a holder twice";
            if (std::none_of(peers_.begin(), peers_.end(),
                             [&](const auto& p) { return p->id == holder && p->member; }))
                return cid.to_string() + " is allocated to a peer that is no member" +
                       describe_membership(holder);
        }
    }
    return {};
}

/// Who counts the peer as a member, for people.
std::string SimCluster::describe_membership(const PeerId& id) const {
    std::string out = ": " + id.to_string() + " (";
    for (std::size_t number = 0; number < peers_.size(); ++number) {
        const auto& each = *peers_[number];
        if (each.id == id)
            out += " it is peer " + std::to_string(number) + (each.up() ? ", up" : ", down");
        if (!each.up()) continue;
        const auto members = peers_[number]->life().consensus.peers();
        const bool listed = std::find(members.begin(), members.end(), id) != members.end();
        out += "; peer " + std::to_string(number) + (listed ? " lists it" : " does not list it");
    }
    return out + ")";
}

std::string SimCluster::check_held(const PinSet& pins, int number) {
    const auto where = "peer " + std::to_string(number);
    const auto has = held(number);
    if (!has) return where + " cannot list its pins: " + has.error().text;
    for (const auto& [cid, row] : pins)
        if (peer(number).life().state.holding().holds(row.pin) && !has.value().contains(cid))
            return where + " does not hold " + cid.to_string() + " (" + row.pin.options.name + ")";
    state::KeptRows kept(peer(number).life().store);
    const auto first = kept.next();
    if (!first) return where + " cannot list what it keeps: " + first.error().text;
    if (first.value()) return where + " still keeps " + first.value()->cid.to_string();
    if (peer(number).may_hold_more) return {};
    for (const auto& cid : has.value()) {
        const auto at = pins.find(cid);
        if (at == pins.end() || !peer(number).life().state.holding().holds(at->second.pin))
            return where + " still holds " + cid.to_string();
    }
    return {};
}

void SimCluster::watch(const std::vector<Cid>& items) {
    if (!has_one_log()) return;
    for (int number = 0; number < size(); ++number) {
        if (!peer(number).up()) continue;
        for (const auto& item : items) {
            const auto row = peer(number).life().state.get(item);
            if (!row || !row.value()) continue;
            const auto& stored = *row.value();
            const auto [at, first] =
                seen_.emplace(std::pair(item, stored.modification_index), stored.pin);
            if (first || at->second == stored.pin || !fork_.empty()) continue;
            fork_ = "peer " + std::to_string(number) + " has " + stored.pin.options.name +
                    " under index " + std::to_string(stored.modification_index) + " of " +
                    item.to_string() + ", another has " + at->second.options.name;
        }
    }
}

std::string SimCluster::wrong() {
    if (!fork_.empty()) return fork_;
    if (count(Outcome::pending) > 0)
        return std::to_string(count(Outcome::pending)) + " operations have no answer";
    std::optional<PinSet> reference;
    for (int number = 0; number < size(); ++number) {
        auto& checked = peer(number);
        const auto where = "peer " + std::to_string(number);
        if (!checked.problem.empty()) return where + ": " + checked.problem;
        if (!checked.member) continue;
        if (!checked.up()) return where + " is down";
        if (!checked.life().cluster.ready()) return where + " is not ready";
        auto pins = pinset(number);
        if (!pins) return where + ": " + pins.error().text;
        if (!reference) {
            judged_at_ = world.steady_now();
            if (auto text = check_promises(pins.value()); !text.empty()) return where + ": " + text;
            if (auto text = check_expired(pins.value()); !text.empty()) return where + ": " + text;
            if (auto text = check_allocations(pins.value()); !text.empty())
                return where + ": " + text;
        } else {
            const auto same = [this](const auto& a, const auto& b) {
                // Raft's are those of the one log; another kind's are each peer's own.
                const bool same_index =
                    !has_one_log() || a.second.modification_index == b.second.modification_index;
                return a.first == b.first && a.second.pin == b.second.pin && same_index;
            };
            if (!std::equal(pins.value().begin(), pins.value().end(), reference->begin(),
                            reference->end(), same))
                return where + " has another pinset than an earlier peer";
        }
        if (auto text = check_held(pins.value(), number); !text.empty()) return text;
        reference = std::move(pins.value());
    }
    return {};
}

std::string SimCluster::settle(Duration limit) {
    note("settle");
    network.heal_all();
    network.set_faults({.delay_low = 100us, .delay_high = 2ms});
    for (auto& each : peers_) {
        each->ipfs.down.reset();
        each->ipfs.fault_drawn = nullptr;
        each->fill_disk(false);
        each->world.set_clock_ahead(Duration::zero());
    }
    const auto end = world.steady_now() + std::chrono::duration_cast<SteadyTime::duration>(limit);
    std::string text;
    while (world.steady_now() < end) {
        for (int number = 0; number < size(); ++number) {
            auto& each = peer(number);
            if (each.member && !each.up() && each.stopped()) start(number);
            if (!each.member && each.up()) each.stop();
        }
        world.run_for(500ms);
        text = wrong();
        if (text.empty()) break;
    }
    note(text.empty() ? "settled" : text);
    return text;
}

void SimCluster::note(std::string_view what) {
    trace_ += std::to_string(world.steady_now().time_since_epoch().count());
    trace_ += ' ';
    trace_ += what;
    trace_ += '\n';
}

Bytes SimCluster::trace() const {
    return multihash_digest(HashCode::sha2_256, trace_).value();
}

}  // namespace ipfscluster::test
