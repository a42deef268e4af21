#include "consensus/raft/snapshot_offers.hpp"

#include <algorithm>

namespace ipfscluster::raft {

Result<SnapshotMeta> SnapshotOffers::promise(std::uint64_t request_index, NodeId to, NodeId self) {
    ICL_TRY(auto meta, leases_.make(request_index, to, self));
    catching_up_[to] = {meta.at.index, world_.steady_now()};
    return meta;
}

Result<> SnapshotOffers::report(Engine& engine, PromisedSnapshot promise, bool good) {
    ICL_TRY(auto progress, engine.progress());
    for (const auto& peer : progress) {
        if (peer.id == promise.to && peer.in_snapshot && peer.pending_snapshot == promise.index)
            return engine.report_snapshot(promise.to, good);
    }
    return ok();
}

Result<> SnapshotOffers::tend(Engine& engine, SteadyTime now) {
    if (leases_.size() == 0 && catching_up_.empty()) return ok();
    // Offered again then, the same one.
    for (const auto& promise : leases_.idle(now)) {
        ICL_TRY(tolerate(report(engine, promise, false), "snapshot report"));
    }
    // The engine goes on behind the snapshot then, and finds out whether it is there.
    for (const auto& promise : leases_.unconfirmed(now)) {
        ICL_TRY(tolerate(report(engine, promise, true), "snapshot report"));
    }
    // Empty unless we lead.
    ICL_TRY(auto progress, engine.progress());
    leases_.keep_needed(progress, now);
    for (const auto& peer : progress) {
        if (!peer.in_snapshot) continue;
        // What it waits for is given up, or it took an older one in the meantime and needs none.
        if (!leases_.holds({peer.id, peer.pending_snapshot}) ||
            peer.matched >= log_.compacted().index) {
            ICL_TRY(tolerate(engine.report_snapshot(peer.id, false), "snapshot report"));
        }
    }
    return ok();
}

/// The oldest index behind which somebody who was promised a snapshot will go on, `usual` at most.
Result<std::uint64_t> SnapshotOffers::still_needed(const Engine& engine, std::uint64_t usual) {
    auto needed = usual;
    if (catching_up_.empty()) return needed;
    ICL_TRY(auto progress, engine.progress());
    const auto now = world_.steady_now();
    const auto holds = [&](NodeId id, CatchUp& catch_up) {
        const auto peer = std::find_if(progress.begin(), progress.end(),
                                       [&](const Progress& each) { return each.id == id; });
        if (peer == progress.end() || peer->matched >= usual) return false;
        const auto moved = leases_.moved({id, catch_up.from});
        // The snapshot was given up before it was there.
        if (!moved && peer->matched < catch_up.from) return false;
        catch_up.since = std::max(catch_up.since, moved.value_or(catch_up.since));
        if (now - catch_up.since >= kCompactionHoldMax) return false;
        needed = std::min(needed, std::max(peer->matched, catch_up.from));
        return true;
    };
    for (auto it = catching_up_.begin(); it != catching_up_.end();)
        it = holds(it->first, it->second) ? std::next(it) : catching_up_.erase(it);
    return needed;
}

Result<std::optional<std::uint64_t>> SnapshotOffers::cut(const Engine& engine) {
    const std::optional<std::uint64_t> nowhere;
    const auto applied = log_.applied().index;
    const auto kept = applied - log_.compacted().index;
    const auto entries_max = options_.snapshot_threshold + options_.trailing_logs;
    const auto bytes = log_.bytes().total();
    const bool long_log = kept >= entries_max;
    const bool large_log = bytes > options_.log_bytes_max;
    if (!long_log && !large_log) return nowhere;
    std::uint64_t target = long_log ? applied - options_.trailing_logs : 0;
    if (large_log)
        target = std::max(
            target, std::min(applied, log_.bytes().index_leaving(options_.log_bytes_max / 2)));
    if (kept < kCompactionHoldFactor * entries_max &&
        bytes < kCompactionHoldFactor * options_.log_bytes_max) {
        ICL_TRY(target, still_needed(engine, target));
    }
    // Less is not worth a sync.
    const bool enough_entries = target >= log_.compacted().index + options_.snapshot_threshold;
    const bool enough_bytes =
        large_log && target >= log_.bytes().index_leaving(bytes - options_.log_bytes_max / 4);
    if (target <= log_.compacted().index || !(enough_entries || enough_bytes)) return nowhere;
    return std::optional(target);
}

}  // namespace ipfscluster::raft
