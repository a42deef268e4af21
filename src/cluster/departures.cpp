// How members are emptied and go.
#include <fmt/format.h>

#include <algorithm>

#include "base/log.hpp"
#include "cluster/cluster.hpp"
#include "cluster/removal_check.hpp"

namespace ipfscluster::cluster {

using component::Cordon;
using component::Removal;

namespace {

bool is_told(const ClusterParts& parts, const PeerId& peer, const Cordon& cordon) {
    const auto before = parts.members.cordon(peer);
    return before.kind == cordon.kind && before.everything == cordon.everything;
}

/// Tells it, unless it was told already.
Async<> tell(const ClusterParts* parts, PeerId peer, Cordon cordon) {
    if (is_told(*parts, peer, cordon)) co_return ok();
    cordon.since = parts->world.system_now();
    ICL_CO_TRY(co_await parts->members.set_cordon(peer, cordon));
    logger("cluster")->info("a member is told apart peer={} kind={}", peer.to_string(),
                            to_string(cordon.kind));
    co_return ok();
}

}  // namespace

Result<> Cluster::check_member(const PeerId& peer) const {
    const auto members = parts_.members.known();
    if (std::find(members.begin(), members.end(), peer) != members.end()) return ok();
    return fail(Kind::not_found, "peer " + peer.to_string() + " is no member of this cluster");
}

Result<> Cluster::check_moves() const {
    if (!options_.disable_repinning) return ok();
    return fail(Kind::conflict, "no pins are moved here: cluster.disable_repinning is set");
}

Result<> Cluster::check_left_to_others(const PeerId& peer) const {
    const auto members = parts_.members.known();
    if (std::any_of(members.begin(), members.end(), [&](const PeerId& other) {
            return other != peer && !parts_.members.cordon(other).everything;
        }))
        return ok();
    return fail(Kind::conflict, "everything: nobody else would hold what every peer holds");
}

Async<DrainReport> Cluster::peer_cordon(PeerId peer, Cordon cordon, bool dry_run) {
    ICL_CO_TRY(pinner_.check_writable());
    // What was told through another peer counts, too.
    ICL_CO_TRY(co_await parts_.log.barrier(kSyncLimit));
    ICL_CO_TRY(check_member(peer));
    if (cordon.kind == Cordon::Kind::none) cordon.everything = false;
    if (cordon.everything) {
        ICL_CO_TRY(check_left_to_others(peer));
    }
    if (cordon.moves_pins()) {
        ICL_CO_TRY(check_moves());
    }
    cordon.since = is_told(parts_, peer, cordon) ? parts_.members.cordon(peer).since
                                                 : parts_.world.system_now();
    ICL_CO_TRY(auto report, co_await survey_.report(peer, cordon));
    if (!dry_run) {
        ICL_CO_TRY(co_await tell(&parts_, peer, cordon));
    }
    co_return report;
}

Async<DrainReport> Cluster::peer_drain(PeerId peer) {
    ICL_CO_TRY(check_member(peer));
    auto report = co_await survey_.progress(std::move(peer));
    co_return report;
}

/// What a removal at once would cost. Allocations are wishes: what counts is who says that it has
/// the item. Where nothing is moved afterwards, every item must have its minimum.
Async<RemovalLoss> Cluster::loss_of(PeerId peer) {
    // Of a silent peer whose pins have moved already nobody can tell what it has: it may keep the
    // only copy of what the new holders have not got.
    const bool silent = parts_.members.cordon(peer).moves_pins() && !parts_.monitor.alive(peer);
    if (options_.disable_repinning || silent) {
        auto lack = co_await leaves_.count_lack(peer, silent);
        co_return lack;
    }
    for (int attempt = 1;; ++attempt) {
        // The pings of one that was removed a moment ago may still count, so members are asked
        // only.
        const auto listed = parts_.members.known();
        auto counted = co_await count_removal_loss(parts_.world, status_all(kEveryStatus), peer,
                                                   who_stays(parts_.members, listed));
        if (!counted)
            co_return fail(counted.error().in("whether others have its copies is not known"));
        // Who was counted on may have been removed meanwhile.
        if (parts_.members.known() == listed) co_return counted;
        if (attempt == kPlanAttemptsMax)
            co_return fail(Kind::conflict, "the members change meanwhile; ask again");
    }
}

Async<Removal> Cluster::peer_remove(PeerId peer, bool force) {
    RemovalLoss loss;
    const auto what = "removing peer " + peer.to_string();
    if (!force) {
        // Who became a member a moment ago may not be known here yet.
        auto current = co_await parts_.log.barrier(kSyncLimit);
        if (!current) co_return fail(current.error().in(what));
    }
    if (!force && check_member(peer)) {
        auto counted = co_await loss_of(peer);
        if (!counted) co_return fail(counted.error().in(what));
        loss = counted.value();
    }
    if (loss.items > 0) {
        auto told = co_await tell_to_leave(peer, loss);
        if (!told)
            co_return fail(Error{told.error().kind,
                                 fmt::format("{} would leave {} pins without {}, for example {}: "
                                             "{}; use force to remove it all the same",
                                             what, loss.items,
                                             loss.below_minimum ? "their minimum of copies"
                                                                : "a live copy that is whole",
                                             loss.example.to_string(), told.error().text)});
        co_return Removal::leaving;
    }
    ICL_CO_TRY(co_await parts_.members.remove_peer(peer));
    co_return Removal::removed;
}

Async<> Cluster::tell_to_leave(PeerId peer, RemovalLoss loss) {
    // What it was told of pins that every peer holds stands.
    const Cordon leaving{.kind = Cordon::Kind::leaving,
                         .everything = parts_.members.cordon(peer).everything};
    ICL_CO_TRY(const auto plan, co_await peer_cordon(peer, leaving, true));
    const auto members = parts_.members.known();
    const auto could = [&](const PeerId& other) {
        return other != peer && parts_.monitor.alive(other) &&
               (plan.alive || plan.left() > 0 || ping_info(other).outside);
    };
    // What every peer holds does not move: the others must be able to fetch it.
    if (std::none_of(members.begin(), members.end(), could))
        co_return fail(Kind::conflict, "no other member is here that could hold them");
    if (plan.blocked > 0)
        co_return fail(Kind::conflict,
                       fmt::format("{} of its pins cannot be moved, {}: {}", plan.blocked,
                                   plan.stuck.front().cid.to_string(), plan.stuck.front().reason));
    ICL_CO_TRY(co_await tell(&parts_, peer, leaving));
    logger("cluster")->info("a peer leaves once its copies are elsewhere peer={} alone_with={}",
                            peer.to_string(), loss.items);
    co_return ok();
}

Async<> Cluster::leave() {
    const auto members = parts_.members.known();
    if (members.size() > 1) {
        ICL_CO_TRY(const auto lack, co_await leaves_.count_lack(self(), false));
        if (lack.items > 0)
            co_return fail(Kind::conflict,
                           "this peer stays a member: " + std::to_string(lack.items) +
                               " items have not their minimum elsewhere, for example " +
                               lack.example.to_string() +
                               "; `ipfs-cluster-ctl peers rm <peer id>` moves them first");
    }
    auto left = co_await parts_.members.remove_peer(self());
    co_return left;
}

Async<MemberNote> Cluster::note_of(PeerId peer) {
    MemberNote note;
    const auto cordon = parts_.members.cordon(peer);
    if (cordon.takes_no_pins()) {
        note.cordon = to_string(cordon.kind);
        note.cordon_since = cordon.since;
    }
    if (cordon.moves_pins()) {
        ICL_CO_TRY(note.left, co_await survey_.count_pins(peer));
    }
    if (const auto silent = repin_.silent_since(peer); silent && !parts_.monitor.alive(peer))
        note.away_since = parts_.world.system_now() - (parts_.world.steady_now() - *silent);
    co_return note;
}

}  // namespace ipfscluster::cluster
