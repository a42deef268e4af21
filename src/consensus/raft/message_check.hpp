#pragma once
#include "consensus/raft/engine.hpp"

namespace ipfscluster::raft {

/// eraftpb.MessageType, as far as the peer looks at it.
enum class MessageType : std::uint32_t {
    propose = 2,
    append_response = 4,
    heartbeat = 8,
    transfer_leader = 13,
    read_index = 15,
};

/// Whether a message may come on the stream of `stream_node` to `own`; `corrupt` says why not. What
/// a node that led until now passes on to its successor keeps the name of who asked, and a transfer
/// of leadership names the node that is to lead: those only have to be members (`is_member`).
Result<> check_sender(const MessageInfo& info, NodeId stream_node, NodeId own,
                      const std::function<bool(NodeId)>& is_member);

/// Whether every member can apply what this message proposes: an entry that nobody can read would
/// end them all, at each start. `corrupt` says what is wrong. Other messages pass.
Result<> check_proposal(const MessageInfo& info, BytesView message, std::uint32_t feature_level);

}  // namespace ipfscluster::raft
