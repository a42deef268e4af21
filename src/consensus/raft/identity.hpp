#pragma once
#include <map>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "consensus/raft/types.hpp"
#include "multi/peer_id.hpp"

namespace ipfscluster::raft {

/// Bytes of a cluster id and of an incarnation.
inline constexpr std::size_t kClusterIdBytes = 32;
inline constexpr std::size_t kIncarnationBytes = 32;

Bytes sha256(BytesView data);

/// What distinguishes one cluster from another. Of founders that found together: the hash of their
/// sorted, distinct peer ids and, when they begin with an imported pinset, of its digest. So
/// founders that imported different pinsets refuse each other.
Bytes make_cluster_id(std::vector<PeerId> founders, BytesView imported = {});

/// Of a founder alone: over its incarnation too, so that it never founds the same cluster twice.
/// It is stored; nobody computes it again.
Bytes make_lone_cluster_id(const PeerId& founder, BytesView incarnation, BytesView imported = {});

/// A member's number: the first eight bytes of sha256(peer id ‖ incarnation), never 0. Founders use
/// the cluster id as incarnation, so that all of them write the same first configuration; everybody
/// else draws a random one with the data folder, so that a peer that lost its disk comes back as
/// somebody new.
NodeId make_node_id(const PeerId& peer, BytesView incarnation);

/// Who a node id is, or was. Kept for good: a removed node that comes back must be told so.
struct NodeRecord {
    PeerId peer;
    std::uint64_t added_index = 0;  ///< log index of the entry that added it; 1: a founder
    bool removed = false;
    friend bool operator==(const NodeRecord&, const NodeRecord&) = default;
};
using NodeTable = std::map<NodeId, NodeRecord>;

Bytes encode_node_record(const NodeRecord& record);
Result<NodeRecord> decode_node_record(BytesView bytes);
/// The whole table, as a snapshot carries it.
Bytes encode_node_table(const NodeTable& table);
Result<NodeTable> decode_node_table(BytesView bytes);

}  // namespace ipfscluster::raft
