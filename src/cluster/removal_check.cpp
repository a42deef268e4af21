#include "cluster/removal_check.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/planted.hpp"
#include "cluster/walk.hpp"

namespace ipfscluster::cluster {

namespace {

/// Whether a peer with this row may have a copy. Away: nobody knows. On its way or waiting: an
/// earlier operation on the item may have brought it already.
bool may_have_copy(const PinInfoShort& said) {
    switch (said.status) {
        case TrackerStatus::pinned:
        case TrackerStatus::pinning:
        case TrackerStatus::pin_queued:
        case TrackerStatus::cluster_error:
            return true;
        case TrackerStatus::remote:
            // A copy that is kept for others says for whom.
            return !said.error.empty();
        default:
            return false;
    }
}

}  // namespace

bool removal_loses(const GlobalPinInfo& row, const PeerId& leaver,
                   const std::set<PeerId>& members) {
    const auto own = row.peer_map.find(leaver);
    if (own == row.peer_map.end() || !may_have_copy(own->second)) return false;
    // Nobody holds a meta pin.
    for (const auto& [peer, said] : row.peer_map)
        if (said.status == TrackerStatus::sharded) return false;
    for (const auto& [peer, said] : row.peer_map)
        if (peer != leaver && members.contains(peer) &&
            (said.status == TrackerStatus::pinned || planted(Bug::allocations_count_as_copies)))
            return false;
    return true;
}

std::set<PeerId> who_stays(component::Membership& membership, const std::vector<PeerId>& members) {
    std::set<PeerId> staying;
    for (const auto& peer : members)
        if (membership.cordon(peer).kind != component::Cordon::Kind::leaving) staying.insert(peer);
    return staying;
}

Async<RemovalLoss> count_removal_loss(World& world, SourcePtr<GlobalPinInfo> rows, PeerId leaver,
                                      std::set<PeerId> members) {
    RemovalLoss loss;
    std::size_t seen = 0;
    while (true) {
        ICL_CO_TRY(auto row, co_await rows->next());
        if (!row) co_return loss;
        if (removal_loses(*row, leaver, members) && ++loss.items == 1) loss.example = row->cid;
        if (++seen % kWalkYieldRows == 0)
            co_await asio::post(world.executor(), asio::use_awaitable);
    }
}

bool removal_lacks(const GlobalPinInfo& row, const PeerId& leaver, const std::set<PeerId>& members,
                   std::size_t needed, bool silent) {
    const auto own = row.peer_map.find(leaver);
    const bool has = own != row.peer_map.end() && may_have_copy(own->second);
    if (!has && !silent) return false;
    std::size_t others = 0;
    for (const auto& [peer, said] : row.peer_map) {
        // Nobody holds a meta pin.
        if (said.status == TrackerStatus::sharded) return false;
        if (peer != leaver && members.contains(peer) && said.status == TrackerStatus::pinned)
            ++others;
    }
    return others < needed;
}

std::size_t needed_elsewhere(const Pin& pin) {
    if (pin.type == PinType::meta) return 0;
    return pin.everywhere() ? 1
                            : static_cast<std::size_t>(std::max(1, pin.options.replication_min));
}

Async<RemovalLoss> count_removal_lack(World& world, state::State& pinset,
                                      SourcePtr<GlobalPinInfo> rows, PeerId leaver,
                                      std::set<PeerId> members, bool silent) {
    RemovalLoss loss{.below_minimum = true};
    std::size_t seen = 0;
    while (true) {
        ICL_CO_TRY(auto row, co_await rows->next());
        if (!row) co_return loss;
        ICL_CO_TRY(const auto stored, pinset.get(row->cid));
        // What is in no pinset any more is on its way out.
        const auto needed = stored ? needed_elsewhere(stored->pin) : 0;
        if (removal_lacks(*row, leaver, members, needed, silent) && ++loss.items == 1)
            loss.example = row->cid;
        if (++seen % kWalkYieldRows == 0)
            co_await asio::post(world.executor(), asio::use_awaitable);
    }
}

}  // namespace ipfscluster::cluster
