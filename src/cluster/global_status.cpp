// What the whole cluster says of one CID or of all.
#include <algorithm>

#include "base/log.hpp"
#include "cluster/cluster.hpp"
#include "cluster/status_merge.hpp"

namespace ipfscluster::cluster {
namespace {

/// Longest wait for a peer that has nothing to do with an item but may keep a copy of it.
constexpr Duration kKeeperAskLimit = std::chrono::seconds(3);

/// Adds to the rows of those who keep a copy whose copies they wait for.
void name_awaited(GlobalPinInfo& global, const Pin& pin, component::Membership& members) {
    std::string awaited;
    for (const auto& [peer, info] : global.peer_map) {
        if (!members.is_holder(pin, peer) || info.status == TrackerStatus::pinned) continue;
        awaited += awaited.empty() ? "; waits for " : ", ";
        awaited += info.peername.empty() ? peer.to_string() : info.peername;
    }
    for (auto& [peer, info] : global.peer_map)
        if (info.status == TrackerStatus::remote && info.error.starts_with(component::kKeptText))
            info.error += awaited;
}

}  // namespace

PinInfo Cluster::error_row(const PeerId& peer, const Cid& cid, std::string error) {
    const auto known = ping_info(peer);
    PinInfo row;
    row.cid = cid;
    row.peer = peer;
    row.info.peername = known.peername;
    row.info.ipfs_peer = known.ipfs.id;
    row.info.ipfs_addresses = known.ipfs.addresses;
    row.info.status = TrackerStatus::cluster_error;
    row.info.timestamp = parts_.world.system_now();
    row.info.error = std::move(error);
    return row;
}

Async<PinInfo> Cluster::ask_tracker(Cid cid, Question question) {
    switch (question) {
        case Question::status:
            return parts_.tracker.status(std::move(cid));
        case Question::recover:
            return parts_.tracker.recover(std::move(cid));
        case Question::sync:
            break;
    }
    return parts_.tracker.sync(std::move(cid));
}

Async<PinInfo> Cluster::ask_peer(PeerId peer, Cid cid, Question question) {
    switch (question) {
        case Question::status:
            return parts_.peers.status(std::move(peer), std::move(cid));
        case Question::recover:
            return parts_.peers.recover(std::move(peer), std::move(cid));
        case Question::sync:
            break;
    }
    return parts_.peers.sync_local(std::move(peer), std::move(cid));
}

asio::awaitable<void> Cluster::ask_one(PeerId peer, Cid cid, Question question,
                                       std::shared_ptr<PinInfo> out) {
    if (!parts_.monitor.alive(peer)) {
        *out = error_row(peer, cid, "the peer is away: its pings have stopped");
        co_return;
    }
    auto asked = peer == self() ? ask_tracker(cid, question) : ask_peer(peer, cid, question);
    auto row = co_await std::move(asked);
    *out = row ? std::move(row.value()) : error_row(peer, cid, row.error().text);
}

void Cluster::name_stranded(GlobalPinInfo& global, const Pin& pin) {
    if (pin.everywhere() || copy_lives(global)) return;
    for (const auto& peer : parts_.members.known())
        if (parts_.monitor.alive(peer) && (pin.allocated_to(peer) || ping_info(peer).outside))
            return;
    for (auto& [peer, info] : global.peer_map)
        if (pin.allocated_to(peer) && info.status == TrackerStatus::cluster_error)
            info.error += "; nobody else has the item or could fetch it, so it waits for this peer";
}

asio::awaitable<void> Cluster::ask_keeper(PeerId peer, Cid cid, std::shared_ptr<PinInfo> out) {
    auto row = co_await with_deadline<PinInfo>(parts_.world, kKeeperAskLimit, "status",
                                               parts_.peers.status(peer, cid));
    // Whoever is behind may still believe that it is a holder.
    if (row && row.value().info.status == TrackerStatus::remote) *out = std::move(row.value());
}

Async<GlobalPinInfo> Cluster::ask_about(Cid cid, Question question) {
    ICL_CO_TRY(auto stored, parts_.state.get(cid));
    auto members = parts_.members.known();
    for (const auto& peer : stored ? stored->pin.allocations : std::vector<PeerId>{})
        if (parts_.members.standing(peer) == component::Standing::unknown) members.push_back(peer);
    if (options_.follower) members = {self()};
    GlobalPinInfo global;
    global.cid = cid;
    global.created = stored ? stored->pin.timestamp : parts_.world.system_now();
    if (stored) {
        global.name = stored->pin.options.name;
        global.allocations = stored->pin.allocations;
        global.origins = stored->pin.options.origins;
        global.metadata = stored->pin.options.metadata;
    }
    std::vector<std::shared_ptr<PinInfo>> rows;
    std::vector<asio::awaitable<void>> asks;
    for (const auto& peer : members) {
        const bool ask = !stored || parts_.members.is_holder(stored->pin, peer) || peer == self();
        if (ask && (stored || peer == self() || parts_.monitor.alive(peer))) {
            rows.push_back(std::make_shared<PinInfo>());
            asks.push_back(ask_one(peer, cid, question, rows.back()));
            continue;
        }
        // Not asked: it has nothing to do with this CID.
        auto row = std::make_shared<PinInfo>(error_row(peer, cid, ""));
        row->info.status = stored ? TrackerStatus::remote : TrackerStatus::unpinned;
        // But it may have been a holder and keep its copy until the others have theirs.
        if (stored && question == Question::status && parts_.monitor.alive(peer))
            asks.push_back(ask_keeper(peer, cid, row));
        rows.push_back(std::move(row));
    }
    ICL_CO_TRY(co_await run_all(std::move(asks)));
    for (const auto& row : rows) global.peer_map[row->peer] = row->info;
    if (stored) {
        name_awaited(global, stored->pin, parts_.members);
        if (question == Question::status) name_stranded(global, stored->pin);
    }
    co_return global;
}

Async<GlobalPinInfo> Cluster::status(Cid cid) {
    auto answer = co_await ask_about(std::move(cid), Question::status);
    co_return answer;
}

Async<GlobalPinInfo> Cluster::recover(Cid cid) {
    auto answer = co_await ask_about(std::move(cid), Question::recover);
    co_return answer;
}

Async<PinInfo> Cluster::status_local(Cid cid) {
    auto row = co_await parts_.tracker.status(std::move(cid));
    co_return row;
}

Async<PinInfo> Cluster::recover_local(Cid cid) {
    ICL_CO_TRY(auto stored, parts_.state.get(cid));
    if (!stored) {
        // An unpin that failed has left the pinset but not this peer: it can still be recovered.
        auto row = co_await parts_.tracker.status(cid);
        if (!row) co_return fail(row.error());
        if (row.value().info.status == TrackerStatus::unpinned)
            co_return fail(Kind::not_found, std::string(component::kPinNotFound));
    }
    auto row = co_await parts_.tracker.recover(std::move(cid));
    co_return row;
}

SourcePtr<PinInfo> Cluster::status_all_local(StatusFilter filter) {
    return parts_.tracker.status_all(filter);
}

SourcePtr<PinInfo> Cluster::recover_all_local() {
    return parts_.tracker.recover_all();
}

SourcePtr<GlobalPinInfo> Cluster::merge_lists(const OpenRows& open, Duration silence_max) {
    std::vector<StatusBranch> branches;
    for (const auto& peer : parts_.members.known()) {
        if (options_.follower && peer != self()) continue;
        StatusBranch branch{.peer = peer,
                            .peername = ping_info(peer).peername,
                            .rows = {},
                            .error = {},
                            .silence_max = silence_max,
                            .own = peer == self()};
        if (peer == self() || parts_.monitor.alive(peer))
            branch.rows = open(peer);
        else
            branch.error = "the peer is away: its pings have stopped";
        branches.push_back(std::move(branch));
    }
    return merge_status(parts_.world, std::move(branches));
}

SourcePtr<GlobalPinInfo> Cluster::status_all(StatusFilter filter) {
    const auto open = [this, filter](const PeerId& peer) {
        return peer == self() ? status_all_local(filter)
                              : parts_.peers.status_all_sorted(peer, filter);
    };
    return merge_lists(open, kStatusSilenceMax);
}

SourcePtr<GlobalPinInfo> Cluster::recover_all() {
    // Each peer gives only what it queued again, and nothing before its comparison is over.
    const auto open = [this](const PeerId& peer) {
        return peer == self() ? recover_all_local() : parts_.peers.recover_all_local(peer);
    };
    return merge_lists(open, kReconcileIdleLimit);
}

SourcePtr<GlobalPinInfo> Cluster::sync_all() {
    const auto open = [this](const PeerId& peer) {
        return peer == self() ? sync_all_local() : parts_.peers.sync_all_local(peer);
    };
    return merge_lists(open, kReconcileIdleLimit);
}

SourcePtr<PinInfo> Cluster::sync_all_local() {
    return parts_.tracker.sync_all();
}

Async<PinInfo> Cluster::sync_local(Cid cid) {
    auto row = co_await parts_.tracker.sync(cid);
    if (!row)
        co_return fail(
            row.error().in("the IPFS daemon could not be asked about " + cid.to_string()));
    if (row.value().info.status == TrackerStatus::unpinned)
        co_return fail(Kind::not_found, std::string(component::kPinNotFound));
    co_return row;
}

Async<GlobalPinInfo> Cluster::sync(Cid cid) {
    ICL_CO_TRY(auto stored, co_await pinner_.get_current(cid));
    if (!stored) co_return fail(Kind::not_found, std::string(component::kPinNotFound));
    ICL_CO_TRY(auto global, co_await ask_about(cid, Question::sync));
    std::string failures;
    for (const auto& [peer, info] : global.peer_map) {
        if (info.status == TrackerStatus::remote || info.status == TrackerStatus::unpinned)
            continue;
        if (info.status != TrackerStatus::cluster_error) co_return global;
        failures += (failures.empty() ? "" : "; ") + peer.to_string() + ": " + info.error;
    }
    if (failures.empty()) co_return global;
    co_return fail(Kind::unavailable,
                   "no IPFS daemon could be asked about " + cid.to_string() + ": " + failures);
}

}  // namespace ipfscluster::cluster
