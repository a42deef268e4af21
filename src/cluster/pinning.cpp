// Planning, allocating and committing single pins.
#include <algorithm>

#include "base/log.hpp"
#include "cluster/cluster.hpp"
#include "dag/links.hpp"
#include "state/pins_where.hpp"

namespace ipfscluster::cluster {

namespace {

const char* const kFollowerText =
    "this peer is configured to be in follower mode. Write operations are disabled";

}  // namespace

Result<> Cluster::check_writable() const {
    if (options_.follower) return fail(Kind::denied, kFollowerText);
    return ok();
}

Async<std::optional<state::StoredPin>> Cluster::get_current(Cid cid) {
    ICL_CO_TRY(auto here, parts_.state.get(cid));
    if (here) co_return here;
    ICL_CO_TRY(co_await parts_.consensus.wait_for_sync(kPeerCallLimit));
    co_return parts_.state.get(cid);
}

Async<PinPlan> Cluster::plan(Pin wish) {
    const auto from = wish.options.pin_update;
    if (from.defined() && from != wish.cid) {
        ICL_CO_TRY(auto source, co_await get_current(from));
        ICL_CO_TRY(auto existing, parts_.state.get(wish.cid));
        co_return plan_pin_update(wish, source, existing, parts_.world.system_now());
    }
    ICL_CO_TRY(auto existing, parts_.state.get(wish.cid));
    co_return plan_pin(std::move(wish), existing, options_.defaults, parts_.world.system_now());
}

Result<std::vector<PeerId>> Cluster::choose_peers(const Pin& pin,
                                                  const std::vector<PeerId>& current,
                                                  const std::vector<PeerId>& blacklist) {
    component::AllocationRequest request;
    request.cid = pin.cid;
    request.replication_min = pin.options.replication_min;
    request.replication_max = pin.options.replication_max;
    request.current = current;
    request.priority = pin.options.user_allocations;
    request.blacklist = blacklist;
    for (const auto& name : parts_.allocator.metric_names()) {
        auto metrics = parts_.monitor.latest(name);
        // A peer whose pings have stopped is not given anything, however fresh its other metrics
        // are.
        std::erase_if(metrics, [&](const Metric& m) { return !parts_.monitor.alive(m.peer); });
        given_.subtract(name, metrics);
        request.metrics[name] = std::move(metrics);
    }
    return parts_.allocator.allocate(request);
}

Result<> Cluster::allocate(PinPlan& planned, const std::vector<PeerId>& current,
                           const std::vector<PeerId>& blacklist) {
    if (!planned.allocate) return ok();
    ICL_TRY(auto chosen, choose_peers(planned.pin, current, blacklist));
    std::vector<PeerId> added;
    for (const auto& peer : chosen)
        if (std::find(current.begin(), current.end(), peer) == current.end()) added.push_back(peer);
    given_.give(added, 0);
    planned.pin.allocations = std::move(chosen);
    return ok();
}

Result<> Cluster::replace_lost(PinPlan& planned) {
    if (planned.pin.allocations.empty()) return ok();
    std::vector<PeerId> dead;
    for (const auto& peer : planned.pin.allocations)
        if (!parts_.monitor.alive(peer)) dead.push_back(peer);
    const auto members = parts_.consensus.peers();
    // A walk that repairs may be past this pin's place already.
    if (!needs_repin(planned.pin, dead, {members.begin(), members.end()})) return ok();
    planned.allocate = true;
    const auto current = std::move(planned.pin.allocations);
    return allocate(planned, current, dead);
}

Async<Pin> Cluster::commit_planned(Pin wish) {
    const std::vector<PeerId> nobody;
    for (int attempt = 1;; ++attempt) {
        ICL_CO_TRY(auto planned, co_await plan(wish));
        if (planned.allocate) {
            // Facts are read again at each attempt: holders may have changed meanwhile.
            ICL_CO_TRY(auto existing, parts_.state.get(wish.cid));
            const auto current = existing ? existing->pin.allocations : std::vector<PeerId>{};
            ICL_CO_TRY(allocate(planned, current, nobody));
        } else {
            ICL_CO_TRY(replace_lost(planned));
        }
        PinOperation operation{.kind = PinOperation::Kind::pin,
                               .pin = planned.pin,
                               .expected_index = planned.expected_index};
        auto committed = co_await parts_.consensus.commit(std::move(operation));
        if (committed) {
            logger("cluster")->debug("pin committed cid={} index={}", planned.pin.cid.to_string(),
                                     committed.value().index);
            co_return planned.pin;
        }
        if (committed.error().kind != Kind::conflict || attempt == kPlanAttemptsMax)
            co_return fail(committed.error().in("pin " + wish.cid.to_string()));
    }
}

Async<Pin> Cluster::pin(Pin pin) {
    ICL_CO_TRY(check_writable());
    auto committed = co_await commit_planned(std::move(pin));
    co_return committed;
}

Async<Pin> Cluster::pin_path(std::string path, PinOptions options) {
    ICL_CO_TRY(check_writable());
    ICL_CO_TRY(auto cid, co_await parts_.ipfs.resolve(path));
    Pin wish;
    wish.cid = std::move(cid);
    wish.max_depth = options.mode == PinMode::direct ? kDepthDirect : kDepthRecursive;
    wish.options = std::move(options);
    auto committed = co_await commit_planned(std::move(wish));
    co_return committed;
}

Async<> Cluster::unpin_part(Cid cid) {
    ICL_CO_TRY(auto stored, parts_.state.get(cid));
    if (!stored || (stored->pin.type != PinType::shard && stored->pin.type != PinType::cluster_dag))
        co_return ok();
    PinOperation operation{.kind = PinOperation::Kind::unpin,
                           .expected_index = stored->modification_index};
    operation.pin.cid = cid;
    auto committed = co_await parts_.consensus.commit(std::move(operation));
    if (!committed && committed.error().kind != Kind::not_found)
        co_return fail(committed.error().in("unpin shard " + cid.to_string()));
    co_return ok();
}

/// Sharded content of a Go cluster: the pins of its shards, which the cluster DAG's block links,
/// and that of the block (internals 8.3).
Async<> Cluster::unpin_shards(Cid root, Cid cluster_dag) {
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
    co_return co_await unpin_part(cluster_dag);
}

Async<Pin> Cluster::unpin(Cid cid) {
    ICL_CO_TRY(check_writable());
    for (int attempt = 1;; ++attempt) {
        ICL_CO_TRY(auto existing, co_await get_current(cid));
        if (!existing) co_return fail(Kind::not_found, std::string(component::kPinNotFound));
        const auto& pin = existing->pin;
        if (pin.type == PinType::shard)
            co_return fail(Kind::invalid,
                           "cannot unpin a shard directly. Unpin content root CID instead");
        if (pin.type == PinType::cluster_dag)
            co_return fail(Kind::invalid,
                           "cannot unpin a Cluster DAG directly. Unpin content root CID instead");
        // Before the meta pin itself, so that what fails midway can be repeated.
        if (pin.type == PinType::meta) {
            ICL_CO_TRY(co_await unpin_shards(cid, pin.reference));
        }
        PinOperation operation{.kind = PinOperation::Kind::unpin,
                               .expected_index = existing->modification_index};
        operation.pin.cid = cid;
        auto committed = co_await parts_.consensus.commit(std::move(operation));
        if (committed) co_return existing->pin;
        if (committed.error().kind == Kind::not_found)
            co_return fail(Kind::not_found, std::string(component::kPinNotFound));
        if (committed.error().kind != Kind::conflict || attempt == kPlanAttemptsMax)
            co_return fail(committed.error().in("unpin " + cid.to_string()));
    }
}

Async<Pin> Cluster::unpin_path(std::string path) {
    ICL_CO_TRY(check_writable());
    ICL_CO_TRY(auto cid, co_await parts_.ipfs.resolve(path));
    auto unpinned = co_await unpin(std::move(cid));
    co_return unpinned;
}

Result<Pin> Cluster::pin_get(Cid cid) {
    ICL_TRY(auto existing, parts_.state.get(cid));
    if (!existing) return fail(Kind::not_found, std::string(component::kPinNotFound));
    return std::move(existing->pin);
}

SourcePtr<Pin> Cluster::pins(std::uint32_t types) {
    return state::pins_where(parts_.state, [types](const Pin& pin) {
        return (static_cast<std::uint32_t>(pin.type) & types) != 0;
    });
}

Async<std::vector<PeerId>> Cluster::block_allocate(Pin pin) {
    ICL_CO_TRY(check_writable());
    auto& options = pin.options;
    if (options.replication_min == 0) options.replication_min = options_.defaults.replication_min;
    if (options.replication_max == 0) options.replication_max = options_.defaults.replication_max;
    ICL_CO_TRY(check_replication(options.replication_min, options.replication_max));
    if (!pin.everywhere()) {
        auto chosen = choose_peers(pin, pin.allocations, {});
        if (chosen) given_.give(chosen.value(), 0);
        co_return chosen;
    }
    std::vector<PeerId> alive;
    for (const auto& peer : parts_.consensus.peers())
        if (parts_.monitor.alive(peer)) alive.push_back(peer);
    co_return alive;
}

}  // namespace ipfscluster::cluster
