#include "consensus/raft/message_check.hpp"

#include "consensus/raft/cluster_facts.hpp"
#include "multi/peer_id.hpp"
#include "state/state.hpp"

namespace ipfscluster::raft {

namespace {

Result<> corrupt(const std::string& why) {
    return fail(Kind::corrupt, "raft stream: " + why);
}

Result<> check_change(const LogEntry& entry) {
    auto read = read_change(entry);
    if (!read) return corrupt("a change of members that does not decode");
    if (read.value().changes.size() != 1) return corrupt("changes are made one by one");
    const auto& single = read.value().changes.front();
    if (single.id == 0) return corrupt("a change of no node");
    if (single.op != ChangeOp::remove && !PeerId::from_bytes(read.value().context))
        return corrupt("an addition of nobody");
    return ok();
}

Result<> check_fact(const state::LoggedOperation& operation) {
    // Only who leads knows whether all members can follow, and proposes it itself.
    if (operation.fact == state::FactKind::feature_level)
        return corrupt("a feature level that its leader did not raise");
    if (operation.fact == state::FactKind::cordon && !decode_cordon_fact(operation.payload))
        return corrupt("a cordon that does not decode");
    return ok();
}

}  // namespace

Result<> check_sender(const MessageInfo& info, NodeId stream_node, NodeId own,
                      const std::function<bool(NodeId)>& is_member) {
    if (info.to != own) return corrupt("a message for another node than wanted");
    if (info.from == stream_node) return ok();
    const auto type = static_cast<MessageType>(info.type);
    const bool forwarded = type == MessageType::propose || type == MessageType::read_index ||
                           type == MessageType::transfer_leader;
    if (forwarded && is_member(info.from)) return ok();
    return corrupt("a message in another node's name");
}

Result<> check_proposal(const MessageInfo& info, BytesView message, std::uint32_t feature_level) {
    if (static_cast<MessageType>(info.type) != MessageType::propose) return ok();
    ICL_TRY(const auto entries, read_entries(message));
    if (entries.empty()) return corrupt("a proposal of nothing");
    for (const auto& entry : entries) {
        if (entry.type != EntryType::normal) {
            ICL_TRY(check_change(entry));
            continue;
        }
        const auto read = state::decode_operations(entry.data, feature_level);
        if (!read) return corrupt("a proposal that cannot be read: " + read.error().text);
        for (const auto& operation : read.value()) {
            ICL_TRY(check_fact(operation));
        }
    }
    return ok();
}

}  // namespace ipfscluster::raft
