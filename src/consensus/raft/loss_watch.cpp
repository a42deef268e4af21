#include "consensus/raft/loss_watch.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "consensus/raft/message_check.hpp"

namespace ipfscluster::raft {

/// A log that is shorter than what its node acknowledged has lost synced entries: never for another
/// reason, since a node acknowledges what it has synced. The node sees it when the leader counts on
/// entries that it does not have.
bool LossWatch::hears_of_loss(const MessageInfo& info) {
    if (static_cast<MessageType>(info.type) != MessageType::heartbeat) return false;
    const auto& status = driver_.status();
    if (info.term < status.term || info.commit <= log_.last_index()) return false;
    // Only a leader counts on us; what cannot be one's word is for the engine to refuse.
    const bool may_lead = info.term == status.term
                              ? status.leader == 0 || status.leader == info.from
                              : info.term - status.term <= kTermJumpMax;
    if (!may_lead) return false;
    life_.end({Kind::corrupt, "synced data is missing: the log ends with entry " +
                                  std::to_string(log_.last_index()) +
                                  ", and this node has acknowledged entry " +
                                  std::to_string(info.commit) + " to the leader"});
    return true;
}

std::optional<EngineStatus> LossWatch::leading() const {
    if (driver_.engine() == nullptr) return std::nullopt;
    auto status = driver_.engine()->status();
    if (!status || status.value().role != Role::leader) return std::nullopt;
    return status.value();
}

/// The leader sees it when the node refuses an append at or behind what it had acknowledged; such
/// an answer may be an old one that came late by another stream, so it counts when it comes again.
/// Or when the node has agreed entries that the leader never had: others lost them and went on.
bool LossWatch::shows_loss(const MessageInfo& info) {
    if (static_cast<MessageType>(info.type) != MessageType::append_response) return false;
    const auto status = leading();
    if (!status || info.term != status->term) return false;
    const bool never_sent = !info.reject && info.index > log_.last_index();
    if (!info.reject && !never_sent) {
        if (!has_lost(info.from)) shrunk_.erase(info.from);
        return false;
    }
    const auto progress = driver_.engine()->progress();
    if (!progress) return false;
    const auto peer = std::find_if(progress.value().begin(), progress.value().end(),
                                   [&](const Progress& each) { return each.id == info.from; });
    if (peer == progress.value().end()) return false;
    if (!never_sent && info.reject_hint >= peer->matched && info.index > peer->matched)
        return false;
    const auto now = world_.steady_now();
    auto& seen = shrunk_.try_emplace(info.from, Shrunk{info.term, now, false}).first->second;
    if (seen.term != info.term) seen = {info.term, now, false};
    if (seen.certain || (!never_sent && now - seen.since < election_timeout_)) return true;
    seen.certain = true;
    logger("raft")->error(
        "the log of a member is not what it had acknowledged peer={} node={:016x} "
        "acknowledged={} answer={} hint={}",
        roster_.peer_of(info.from).to_string(), info.from, peer->matched, info.index,
        info.reject_hint);
    return true;
}

bool LossWatch::has_lost(NodeId id) const {
    const auto seen = shrunk_.find(id);
    if (seen == shrunk_.end() || !seen->second.certain) return false;
    const auto status = leading();
    return status && status->term == seen->second.term;
}

}  // namespace ipfscluster::raft
