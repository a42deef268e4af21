#include "consensus/raft/identity.hpp"

#include <algorithm>

#include "base/varint.hpp"
#include "multi/multihash.hpp"

namespace ipfscluster::raft {

namespace {
constexpr std::size_t kPeerIdBytesMax = 128;
constexpr std::uint64_t kNodesMax = 65536;

Result<NodeRecord> take_node_record(BytesView& in) {
    NodeRecord record;
    ICL_TRY(auto peer, take_sized(in, kPeerIdBytesMax, "node table"));
    ICL_TRY(auto parsed, PeerId::from_bytes(peer));
    record.peer = parsed;
    ICL_TRY(auto added, take_uvarint(in));
    record.added_index = added;
    ICL_TRY(auto removed, take_uvarint(in));
    record.removed = removed != 0;
    return record;
}

void put_import(Bytes& out, BytesView digest) {
    if (digest.empty()) return;
    put_uvarint(out, 0);  // nothing before it has this length
    out += digest;
}
}  // namespace

Bytes sha256(BytesView data) {
    // A multihash is code and length, one byte each here, before the digest.
    return multihash_digest(HashCode::sha2_256, data).value().substr(2);
}

Bytes make_cluster_id(std::vector<PeerId> founders, BytesView imported) {
    std::sort(founders.begin(), founders.end());
    founders.erase(std::unique(founders.begin(), founders.end()), founders.end());
    Bytes all;
    for (const auto& peer : founders) {
        put_uvarint(all, peer.bytes().size());
        all += peer.bytes();
    }
    put_import(all, imported);
    return sha256(all);
}

Bytes make_lone_cluster_id(const PeerId& founder, BytesView incarnation, BytesView imported) {
    Bytes all;
    put_uvarint(all, founder.bytes().size());
    all += founder.bytes();
    put_uvarint(all, incarnation.size());
    all += incarnation;
    put_import(all, imported);
    return sha256(all);
}

NodeId make_node_id(const PeerId& peer, BytesView incarnation) {
    const auto id = get_be64(sha256(peer.bytes() + Bytes(incarnation)));
    return id == 0 ? 1 : id;
}

Bytes encode_node_record(const NodeRecord& record) {
    Bytes out;
    put_sized(out, record.peer.bytes());
    put_uvarint(out, record.added_index);
    put_uvarint(out, record.removed ? 1 : 0);
    return out;
}

Result<NodeRecord> decode_node_record(BytesView bytes) {
    return take_node_record(bytes);
}

Bytes encode_node_table(const NodeTable& table) {
    Bytes out;
    put_uvarint(out, table.size());
    for (const auto& [id, record] : table) {
        put_be64(out, id);
        out += encode_node_record(record);
    }
    return out;
}

Result<NodeTable> decode_node_table(BytesView bytes) {
    ICL_TRY(auto count, take_uvarint(bytes));
    if (count > kNodesMax) return fail(Kind::corrupt, "node table: too many nodes");
    NodeTable table;
    for (std::uint64_t i = 0; i < count; ++i) {
        if (bytes.size() < 8) return fail(Kind::corrupt, "node table: truncated");
        const auto id = get_be64(bytes);
        bytes.remove_prefix(8);
        ICL_TRY(auto record, take_node_record(bytes));
        table.emplace(id, std::move(record));
    }
    return table;
}

}  // namespace ipfscluster::raft
