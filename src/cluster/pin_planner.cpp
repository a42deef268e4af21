#include "cluster/pin_planner.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "component/cluster_api.hpp"

namespace ipfscluster::cluster {

namespace {

/// Rules that tie a pin's type to its other fields.
Result<> check_type(const Pin& pin) {
    const auto bad = [&](std::string_view why) {
        return fail(Kind::invalid,
                    fmt::format("{} {}: {}", to_string(pin.type), pin.cid.to_string(), why));
    };
    switch (pin.type) {
        case PinType::data:
            if (pin.reference.defined()) return bad("a plain pin has no reference");
            return ok();
        case PinType::shard:
            if (pin.max_depth != 1 && pin.max_depth != 2) return bad("a shard has depth 1 or 2");
            return ok();
        case PinType::cluster_dag:
            if (pin.max_depth != kDepthDirect || !pin.reference.defined())
                return bad("a cluster DAG has depth 0 and a reference");
            return ok();
        case PinType::meta:
            if (!pin.allocations.empty() || !pin.reference.defined())
                return bad("a meta pin has a reference and no allocations");
            return ok();
        case PinType::bad:
        case PinType::all:
            break;
    }
    return bad("not a type a pin can have");
}

/// A plan that holds only while `current` stands.
PinPlan plan_on(std::optional<state::StoredPin> current) {
    PinPlan plan;
    plan.operation.expected_index = current ? current->modification_index : 0;
    plan.current = std::move(current);
    return plan;
}

}  // namespace

Result<PinPlan> plan_pin(Pin wish, std::optional<state::StoredPin> existing,
                         const PinDefaults& defaults, Time now) {
    if (!wish.cid.defined()) return fail(Kind::invalid, "bad pin object: it has no CID");
    auto& options = wish.options;
    if (options.replication_min == 0) options.replication_min = defaults.replication_min;
    if (options.replication_max == 0) options.replication_max = defaults.replication_max;
    ICL_TRY(check_replication(options.replication_min, options.replication_max));
    if (options.expire_at != kTimeUnset && options.expire_at < now)
        return fail(Kind::invalid, fmt::format("pin.ExpireAt set before current time: {}",
                                               format_rfc3339(options.expire_at)));
    ICL_TRY(check_type(wish));
    if (existing) {
        const auto& old = existing->pin;
        if (old.type != wish.type)
            return fail(
                Kind::invalid,
                fmt::format("cannot repin CID with different tracking method, clear state with "
                            "unpin first. New: {}. Was: {}",
                            to_string(wish.type), to_string(old.type)));
        if (old.max_depth == kDepthRecursive && wish.max_depth != kDepthRecursive)
            return fail(
                Kind::invalid,
                "cannot repin a CID which is already pinned in recursive mode (new mode would "
                "be direct). Unpin it first.");
    }
    PinPlan plan = plan_on(std::move(existing));
    wish.timestamp = now;
    if (wish.everywhere() || wish.type == PinType::meta) {
        wish.allocations.clear();
    } else {
        plan.allocate = wish.allocations.empty();
    }
    plan.operation.pin = std::move(wish);
    return plan;
}

Result<PinPlan> plan_pin_update(const Pin& wish, const std::optional<state::StoredPin>& from,
                                std::optional<state::StoredPin> existing, Time now) {
    if (!from) return fail(Kind::not_found, std::string(component::kPinNotFound));
    if (from->pin.type != PinType::data)
        return fail(Kind::invalid,
                    "this pin type cannot be updated: " + std::string(to_string(from->pin.type)));
    const auto& options = wish.options;
    if (options.expire_at != kTimeUnset && options.expire_at < now)
        return fail(Kind::invalid, fmt::format("pin.ExpireAt set before current time: {}",
                                               format_rfc3339(options.expire_at)));
    PinPlan plan = plan_on(std::move(existing));
    auto& pin = plan.operation.pin;
    pin = from->pin;
    pin.cid = wish.cid;
    pin.timestamp = now;
    pin.options.pin_update = from->pin.cid;
    if (!options.name.empty()) pin.options.name = options.name;
    if (options.expire_at != kTimeUnset) pin.options.expire_at = options.expire_at;
    return plan;
}

Result<PinPlan> plan_unpin(std::optional<state::StoredPin> existing) {
    if (!existing) return fail(Kind::not_found, std::string(component::kPinNotFound));
    const auto type = existing->pin.type;
    if (type == PinType::shard)
        return fail(Kind::invalid, "cannot unpin a shard directly. Unpin content root CID instead");
    if (type == PinType::cluster_dag)
        return fail(Kind::invalid,
                    "cannot unpin a Cluster DAG directly. Unpin content root CID instead");
    return removal_of(std::move(*existing));
}

PinPlan removal_of(state::StoredPin stored) {
    PinPlan plan = plan_on(std::move(stored));
    plan.operation.kind = PinOperation::Kind::unpin;
    plan.operation.pin.cid = plan.current->pin.cid;
    return plan;
}

bool needs_repin(const Pin& pin, const std::vector<PeerId>& dead, const PeerTest& goes) {
    if (pin.everywhere() || pin.type == PinType::meta) return false;
    int live = 0;
    bool lost_one = false;
    for (const auto& peer : pin.allocations) {
        // Unlike a dead one, a peer that goes does not come back with its copy.
        if (goes(peer)) return true;
        const bool gone = std::find(dead.begin(), dead.end(), peer) != dead.end();
        lost_one = lost_one || gone;
        if (!gone) ++live;
    }
    return lost_one && live < pin.options.replication_min;
}

bool all_holders_dead(const Pin& pin, const std::vector<PeerId>& dead, const PeerTest& left) {
    bool some = false;
    for (const auto& peer : pin.allocations) {
        if (left(peer)) continue;
        if (std::find(dead.begin(), dead.end(), peer) == dead.end()) return false;
        some = true;
    }
    return some;
}

bool copy_lives(const GlobalPinInfo& said) {
    return std::any_of(said.peer_map.begin(), said.peer_map.end(), [](const auto& row) {
        // Whoever is remote and has something to say keeps a copy.
        return row.second.status == TrackerStatus::pinned ||
               (row.second.status == TrackerStatus::remote && !row.second.error.empty());
    });
}

Pin repin_wish(Pin stored) {
    stored.allocations.clear();
    // Else the plan would copy the holders, dead ones too, of the pin this one was once made from.
    stored.options.pin_update = Cid();
    return stored;
}

}  // namespace ipfscluster::cluster
