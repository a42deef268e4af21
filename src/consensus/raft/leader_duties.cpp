#include "consensus/raft/leader_duties.hpp"

#include <algorithm>

#include "consensus/raft/doorkeeper.hpp"

namespace ipfscluster::raft {

namespace {

/// Leads, and nothing is under way that a change would have to wait for.
bool is_free(const EngineStatus& status) {
    return status.role == Role::leader && !status.pending_change && status.transferee == 0;
}

Result<> propose_change(Engine& engine, const EngineStatus& status, const ChangeRequest& change,
                        std::uint32_t level) {
    if (status.role != Role::leader) return fail(Kind::retryable, "this peer does not lead");
    if (status.pending_change)
        return fail(Kind::retryable, "another membership change is under way");
    if (status.transferee != 0) return fail(Kind::retryable, "leadership is being handed over");
    if (change.op == ChangeOp::add_learner) {
        // Whoever asks late, or again, must not make a voter a learner.
        ICL_TRY(auto members, engine.progress());
        if (std::any_of(members.begin(), members.end(),
                        [&](const Progress& member) { return member.id == change.node; }))
            return ok();
        ICL_TRY(level_suffices(change.feature_level, level));
    }
    return engine.propose_change(change.op, change.node, change.context);
}

}  // namespace

Async<> LeaderDuties::change(ChangeRequest change) {
    Driver::Work work = [this, change = std::move(change)](Engine& engine) -> Result<> {
        ICL_TRY(const auto status, engine.status());
        return propose_change(engine, status, change, demanded_level(status.term));
    };
    // Shorter than a member waits for the answer: it is to hear that nothing happened.
    return driver_.call(std::move(work), options_.network_timeout / 2);
}

/// A peer that came back without its data is a new member; the old one can never answer again.
bool LeaderDuties::remove_outlived_node() {
    for (const auto& member : roster_.members()) {
        const auto* old = roster_.record(member.id);
        if (old == nullptr || member.id == roster_.node()) continue;
        for (const auto id : roster_.nodes_of(old->peer)) {
            const auto* other = roster_.record(id);
            if (other == nullptr || other->added_index <= old->added_index) continue;
            driver_.request([id = member.id](Engine& engine) {
                return engine.propose_change(ChangeOp::remove, id, {});
            });
            return true;
        }
    }
    return false;
}

Result<> LeaderDuties::tend_members(const Engine& engine) {
    ICL_TRY(const auto status, engine.status());
    if (!is_free(status)) return ok();
    ICL_TRY(const auto progress, engine.progress());
    if (remove_outlived_node()) return ok();
    for (const auto& peer : progress) {
        if (!peer.learner || !peer.recent_active || peer.in_snapshot) continue;
        // However short the log, one that needs a snapshot first has nothing to vote with, and its
        // link would decide whether we lead.
        if (peer.matched < log_.compacted().index) continue;
        if (peer.matched + kCaughtUpEntries < status.last_index) continue;
        // It may have come back with an earlier build.
        if (links_.announced(peer.id).value_or(0) < demanded_level(status.term)) continue;
        driver_.request([id = peer.id, context = roster_.peer_of(peer.id).bytes()](Engine& later) {
            return later.propose_change(ChangeOp::add_voter, id, context);
        });
        break;
    }
    return ok();
}

Result<> LeaderDuties::tend_level(Engine& engine) {
    const auto in_force = log_.facts().feature_level();
    if (in_force >= options_.feature_level) return ok();
    ICL_TRY(const auto status, engine.status());
    if (!is_free(status)) return ok();
    ICL_TRY(const auto progress, engine.progress());
    std::vector<LevelRaise::MemberLevel> members;
    for (const auto& member : progress) {
        auto announced = member.recent_active ? links_.announced(member.id) : std::nullopt;
        if (member.id == roster_.node()) announced = options_.feature_level;
        members.push_back({member.id, announced});
    }
    const auto level = level_raise_.due(in_force, status.term, members);
    if (!level) return ok();
    const auto outcome = engine.propose(level_entry(*level));
    if (outcome) level_raise_.proposed(*level, status.term);
    return tolerate(outcome, "feature level");
}

}  // namespace ipfscluster::raft
