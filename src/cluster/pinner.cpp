#include "cluster/pinner.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "component/cluster_api.hpp"
#include "dag/links.hpp"

namespace ipfscluster::cluster {

namespace {

const char* const kFollowerText =
    "this peer is configured to be in follower mode. Write operations are disabled";

/// Who does not hold any more what it holds: it has left, or is in `moving`.
PeerTest who_goes(component::Membership& members, std::set<PeerId> moving = {}) {
    return [&members, moving = std::move(moving)](const PeerId& peer) {
        return moving.contains(peer) || members.standing(peer) == component::Standing::left;
    };
}

/// `not_found` is said of pins alone: a name that leads nowhere is another failure.
Async<Cid> resolve_name(component::IpfsConnector& ipfs, std::string path) {
    auto cid = co_await ipfs.resolve(std::move(path));
    if (!cid && cid.error().kind == Kind::not_found)
        co_return fail(Kind::unavailable, cid.error().text);
    co_return cid;
}

}  // namespace

Pinner::Pinner(PinnerParts parts, PinnerOptions options) : parts_(parts), options_(options) {}

Result<> Pinner::check_writable() const {
    if (options_.follower) return fail(Kind::denied, kFollowerText);
    return ok();
}

Async<Pinner::Decision> Pinner::change(std::string what, Planner planner) {
    for (int attempt = 1;; ++attempt) {
        ICL_CO_TRY(auto decision, co_await planner());
        if (!decision.plan) co_return decision;
        auto committed = co_await parts_.log.commit(decision.plan->operation);
        const auto& cid = decision.plan->operation.pin.cid;
        if (committed) {
            // The text of a CID is made only when somebody reads it.
            if (const auto log = logger("cluster"); log->should_log(spdlog::level::debug))
                log->debug("committed: {} {} index={}", what, cid.to_string(),
                           committed.value().index);
            co_return decision;
        }
        const auto kind = committed.error().kind;
        const bool others_came_first = kind == Kind::conflict || kind == Kind::not_found;
        if (!others_came_first || attempt == kPlanAttemptsMax)
            co_return fail(committed.error().in(what + " " + cid.to_string()));
    }
}

Async<std::optional<state::StoredPin>> Pinner::get_current(Cid cid) {
    ICL_CO_TRY(auto here, parts_.state.get(cid));
    if (here) co_return here;
    ICL_CO_TRY(co_await parts_.log.barrier(kSyncLimit));
    ICL_CO_TRY(here, parts_.state.get(cid));
    if (!here && !parts_.log.strong_reads() && !parts_.log.complete())
        co_return fail(Kind::unavailable, "this peer does not have the whole pinset yet");
    co_return here;
}

// Pins.

Async<Pin> Pinner::pin(Pin wish) {
    ICL_CO_TRY(check_writable());
    Planner planner = [this, wish = std::move(wish)] { return plan_wish(wish); };
    ICL_CO_TRY(auto done, co_await change("pin", std::move(planner)));
    ICL_ASSERT(done.plan, "a wish always leads to a plan");
    co_return std::move(done.plan->operation.pin);
}

Async<Pin> Pinner::pin_path(std::string path, PinOptions options) {
    ICL_CO_TRY(check_writable());
    ICL_CO_TRY(auto cid, co_await resolve_name(parts_.ipfs, std::move(path)));
    Pin wish;
    wish.cid = std::move(cid);
    wish.max_depth = options.mode == PinMode::direct ? kDepthDirect : kDepthRecursive;
    wish.options = std::move(options);
    auto pinned = co_await pin(std::move(wish));
    co_return pinned;
}

Async<Pinner::Decision> Pinner::plan_wish(Pin wish) {
    const auto from = wish.options.pin_update;
    const bool update = from.defined() && from != wish.cid;
    std::optional<state::StoredPin> source;
    if (update) {
        ICL_CO_TRY(source, co_await get_current(from));
    }
    ICL_CO_TRY(auto existing, parts_.state.get(wish.cid));
    if (!update) {
        ICL_CO_TRY(check_named(wish, existing));
    }
    const auto now = parts_.world.system_now();
    auto plan = update ? plan_pin_update(wish, source, std::move(existing), now)
                       : plan_pin(std::move(wish), std::move(existing), options_.defaults, now);
    if (!plan) co_return fail(plan.error());
    if (plan.value().allocate) {
        const auto& current = plan.value().current;
        Choice choice{.movers_may_stay = true};
        if (current) choice.holders = current->pin.allocations;
        ICL_CO_TRY(allocate(plan.value(), choice));
    } else {
        ICL_CO_TRY(replace_lost(plan.value(), update));
    }
    co_return Decision{std::move(plan.value())};
}

Async<Repin> Pinner::repin(Cid cid, std::vector<PeerId> dead, std::vector<PeerId> barred) {
    Planner planner = [this, cid, dead, barred] { return plan_repin(cid, dead, barred); };
    ICL_CO_TRY(auto done, co_await change("pin", std::move(planner)));
    if (done.plan) co_return Repin::moved;
    if (done.no_source) co_return Repin::no_source;
    co_return done.holder_back ? Repin::holder_back : Repin::no_need;
}

Async<Pinner::Decision> Pinner::plan_repin(Cid cid, std::vector<PeerId> dead,
                                           std::vector<PeerId> barred) {
    ICL_CO_TRY(auto stored, parts_.state.get(cid));
    // Unpinned meanwhile: a commit on "absent" would raise the dead.
    if (!stored) co_return Decision{};
    const auto moving = cordons(dead).moving;
    const auto back =
        std::erase_if(dead, [&](const PeerId& peer) { return parts_.monitor.alive(peer); });
    if (!needs_repin(stored->pin, dead, who_goes(parts_.members, moving)))
        co_return Decision{.holder_back = back > 0};
    const auto expire_at = stored->pin.options.expire_at;
    if (expire_at != kTimeUnset && expire_at < parts_.clocks.now())
        co_return Decision{};  // it goes
    const auto members = parts_.members.known();
    const bool somebody = std::any_of(members.begin(), members.end(), [&](const PeerId& peer) {
        return parts_.monitor.alive(peer) && !contains(barred, peer);
    });
    if (!somebody) co_return Decision{.no_source = true};
    auto choice = choice_of(stored->pin, dead, moving);
    // A repair does not fail because nobody can take what moves as well.
    choice.movers_may_stay = needs_repin(stored->pin, dead, who_goes(parts_.members));
    choice.blacklist.insert(choice.blacklist.end(), barred.begin(), barred.end());
    auto planned = co_await plan_holders(std::move(*stored), std::move(choice));
    co_return planned;
}

Pinner::Choice Pinner::choice_of(const Pin& pin, const std::vector<PeerId>& dead,
                                 const std::set<PeerId>& moving) const {
    Choice choice{.holders = pin.allocations, .blacklist = dead};
    const auto members = parts_.members.known();
    for (const auto& peer : choice.holders)
        if (contains(members, peer) && !parts_.monitor.alive(peer) && !contains(dead, peer) &&
            !moving.contains(peer))
            choice.away.push_back(peer);
    return choice;
}

Async<Pinner::Decision> Pinner::plan_holders(state::StoredPin stored, Choice choice) {
    auto wish = repin_wish(stored.pin);
    const auto now = parts_.world.system_now();
    ICL_CO_TRY(auto plan, plan_pin(std::move(wish), std::move(stored), options_.defaults, now));
    if (plan.allocate) {
        ICL_CO_TRY(allocate(plan, choice));
    }
    co_return Decision{std::move(plan)};
}

Async<Repin> Pinner::give_away(Cid cid, PeerId holder) {
    Planner planner = [this, cid, holder] { return plan_gift(cid, holder); };
    ICL_CO_TRY(auto done, co_await change("pin", std::move(planner)));
    co_return done.plan ? Repin::moved : Repin::no_need;
}

Async<Pinner::Decision> Pinner::plan_gift(Cid cid, PeerId holder) {
    ICL_CO_TRY(auto stored, parts_.state.get(cid));
    if (!stored) co_return Decision{};
    if (!needs_repin(stored->pin, {holder}, who_goes(parts_.members))) co_return Decision{};
    const auto expire_at = stored->pin.options.expire_at;
    if (expire_at != kTimeUnset && expire_at < parts_.clocks.now()) co_return Decision{};
    const std::vector<PeerId> full(1, holder);
    auto choice = choice_of(stored->pin, full, cordons(full).moving);
    choice.movers_may_stay = true;
    auto planned = co_await plan_holders(std::move(*stored), std::move(choice));
    co_return planned;
}

// Removals.

Async<Pin> Pinner::unpin(Cid cid) {
    ICL_CO_TRY(check_writable());
    Planner planner = [this, cid] { return plan_removal(cid); };
    ICL_CO_TRY(auto done, co_await change("unpin", std::move(planner)));
    ICL_ASSERT(done.plan, "an absent pin is an error");
    co_return std::move(done.plan->current->pin);
}

Async<Pin> Pinner::unpin_path(std::string path) {
    ICL_CO_TRY(check_writable());
    ICL_CO_TRY(auto cid, co_await resolve_name(parts_.ipfs, std::move(path)));
    auto unpinned = co_await unpin(std::move(cid));
    co_return unpinned;
}

Async<Pinner::Decision> Pinner::plan_removal(Cid cid) {
    ICL_CO_TRY(auto existing, co_await get_current(cid));
    ICL_CO_TRY(auto plan, plan_unpin(std::move(existing)));
    // Before the meta pin itself, so that what fails midway can be repeated.
    const auto& pin = plan.current->pin;
    if (pin.type == PinType::meta) {
        ICL_CO_TRY(co_await unpin_shards(cid, pin.reference));
    }
    co_return Decision{std::move(plan)};
}

/// Sharded content of a Go cluster: the pins of its shards, which the cluster DAG's block links,
/// and that of the block (reference/internals 8.3).
Async<> Pinner::unpin_shards(Cid root, Cid cluster_dag) {
    // Its pin goes last: without it the shards are gone, and the block may be.
    ICL_CO_TRY(auto listed, parts_.state.get(cluster_dag));
    if (!listed) co_return ok();
    auto block = co_await parts_.ipfs.block_get(cluster_dag);
    if (!block)
        co_return fail(block.error().in("the shards of " + root.to_string() + " stand in " +
                                        cluster_dag.to_string() + ", which cannot be read"));
    auto shards = dag::child_links(cluster_dag, block.value());
    if (!shards) co_return fail(shards.error().in("the cluster DAG of " + root.to_string()));
    for (const auto& shard : shards.value()) {
        ICL_CO_TRY(co_await unpin_part(shard));
    }
    auto done = co_await unpin_part(cluster_dag);
    co_return done;
}

Async<> Pinner::unpin_part(Cid cid) {
    Planner planner = [this, cid] { return plan_part_removal(cid); };
    ICL_CO_TRY(co_await change("unpin shard", std::move(planner)));
    co_return ok();
}

Async<Pinner::Decision> Pinner::plan_part_removal(Cid cid) {
    ICL_CO_TRY(auto stored, parts_.state.get(cid));
    if (!stored || (stored->pin.type != PinType::shard && stored->pin.type != PinType::cluster_dag))
        co_return Decision{};
    co_return Decision{removal_of(std::move(*stored))};
}

Async<bool> Pinner::expire(Cid cid, Time now) {
    Planner planner = [this, cid, now] { return plan_expiry(cid, now); };
    ICL_CO_TRY(auto done, co_await change("expiry of", std::move(planner)));
    co_return done.plan.has_value();
}

Async<Pinner::Decision> Pinner::plan_expiry(Cid cid, Time now) {
    ICL_CO_TRY(auto stored, parts_.state.get(cid));
    if (!stored) co_return Decision{};
    const auto expire_at = stored->pin.options.expire_at;
    if (expire_at == kTimeUnset || expire_at > now) co_return Decision{};
    auto plan = removal_of(std::move(*stored));
    plan.operation.only_if_expired_by = now;
    co_return Decision{std::move(plan)};
}

// Who holds a pin.

Cordons Pinner::cordons(const std::vector<PeerId>& dead) const {
    return read_cordons(parts_.members, [&](const PeerId& peer) {
        return parts_.monitor.alive(peer) || contains(dead, peer);
    });
}

Result<> Pinner::check_named(const Pin& wish,
                             const std::optional<state::StoredPin>& existing) const {
    // Of an add the peers were checked before its first block.
    if (!wish.allocations.empty()) return ok();
    for (const auto& peer : wish.options.user_allocations) {
        const auto cordon = parts_.members.cordon(peer);
        if (!cordon.takes_no_pins()) continue;
        if (!cordon.moves_pins() && existing && existing->pin.allocated_to(peer)) continue;
        return fail(Kind::conflict, "user-allocations: peer " + peer.to_string() + " is " +
                                        std::string(to_string(cordon.kind)) +
                                        " and takes no new pins");
    }
    return ok();
}

Result<std::vector<PeerId>> Pinner::choose_among(const Pin& pin, const Choice& choice,
                                                 const std::set<PeerId>& barred) {
    component::AllocationRequest request;
    request.cid = pin.cid;
    // Who is silent for now holds it all the same; at least one other shall.
    const auto away = static_cast<int>(choice.away.size());
    request.replication_min = std::max(1, pin.options.replication_min - away);
    request.replication_max = std::max(1, pin.options.replication_max - away);
    request.current = choice.holders;
    request.priority = pin.options.user_allocations;
    request.blacklist = choice.blacklist;
    request.blacklist.insert(request.blacklist.end(), barred.begin(), barred.end());
    for (const auto& name : parts_.allocator.metric_names()) {
        auto metrics = parts_.monitor.latest(name);
        // A peer whose pings have stopped is not given anything, however fresh its other metrics
        // are.
        std::erase_if(metrics, [&](const Metric& m) { return !parts_.monitor.alive(m.peer); });
        given_.subtract(name, metrics);
        request.metrics[name] = std::move(metrics);
    }
    auto chosen = parts_.allocator.allocate(request);
    if (chosen) chosen.value().insert(chosen.value().end(), choice.away.begin(), choice.away.end());
    return chosen;
}

Result<std::vector<PeerId>> Pinner::choose_peers(const Pin& pin, const Choice& choice) {
    if (pin.everywhere()) return std::vector<PeerId>{};
    const auto told = cordons(choice.blacklist);
    auto barred = told.closed;
    std::erase_if(barred, [&](const PeerId& peer) {
        return contains(choice.holders, peer) && !told.moving.contains(peer);
    });
    auto chosen = choose_among(pin, choice, barred);
    if (chosen || barred.empty()) return chosen;
    if (choice.movers_may_stay &&
        std::erase_if(barred, [&](const PeerId& p) { return contains(choice.holders, p); }) > 0)
        if (auto with_movers = choose_among(pin, choice, barred)) return with_movers;
    return fail(Error{chosen.error().kind, chosen.error().text + " Peers that take no new pins: " +
                                               name_peers(told.closed)});
}

Result<> Pinner::could_move(const Pin& pin, const PeerId& from, const std::vector<PeerId>& dead) {
    auto gone = dead;
    if (!contains(gone, from)) gone.push_back(from);
    ICL_TRY(choose_peers(pin, choice_of(pin, gone, cordons(gone).moving)));
    return ok();
}

Result<> Pinner::allocate(PinPlan& plan, const Choice& choice) {
    auto& pin = plan.operation.pin;
    ICL_TRY(auto chosen, choose_peers(pin, choice));
    std::vector<PeerId> added;
    for (const auto& peer : chosen)
        if (!contains(choice.holders, peer)) added.push_back(peer);
    given_.give(added, 0);
    pin.allocations = std::move(chosen);
    return ok();
}

Result<> Pinner::replace_lost(PinPlan& plan, bool copied) {
    auto& pin = plan.operation.pin;
    Choice choice{.movers_may_stay = true};
    for (const auto& peer : pin.allocations)
        if (!parts_.monitor.alive(peer)) choice.blacklist.push_back(peer);
    // What an add has brought to a peer that takes no pins since stays there: it may be the only
    // copy.
    std::set<PeerId> closed;
    if (copied) closed = cordons({}).closed;
    if (plan.current)
        for (const auto& peer : plan.current->pin.allocations) closed.erase(peer);
    // A walk that repairs may be past this pin's place already.
    if (!needs_repin(pin, choice.blacklist, who_goes(parts_.members, closed))) return ok();
    choice.holders = std::move(pin.allocations);
    std::erase_if(choice.holders, [&](const PeerId& peer) { return closed.contains(peer); });
    return allocate(plan, choice);
}

Async<std::vector<PeerId>> Pinner::allocate_blocks(Pin pin) {
    ICL_CO_TRY(check_writable());
    auto& options = pin.options;
    if (options.replication_min == 0) options.replication_min = options_.defaults.replication_min;
    if (options.replication_max == 0) options.replication_max = options_.defaults.replication_max;
    ICL_CO_TRY(check_replication(options.replication_min, options.replication_max));
    ICL_CO_TRY(check_named(pin, std::nullopt));
    if (!pin.everywhere()) {
        auto chosen = choose_peers(pin, {.holders = pin.allocations});
        if (chosen) given_.give(chosen.value(), 0);
        co_return chosen;
    }
    std::vector<PeerId> alive;
    for (const auto& peer : parts_.members.known())
        if (parts_.monitor.alive(peer)) alive.push_back(peer);
    const auto told = std::erase_if(
        alive, [&](const PeerId& peer) { return !parts_.members.is_holder(pin, peer); });
    if (alive.empty() && told > 0)
        co_return fail(Kind::conflict, "no member is here that holds what every peer holds");
    co_return alive;
}

}  // namespace ipfscluster::cluster
