#include "codec/json.hpp"

// Writers; the order of fields is that of Go's structs.
namespace ipfscluster::codec {
namespace {

void put_options(JsonObject& o, const PinOptions& p) {
    o.put("replication_factor_min", p.replication_min);
    o.put("replication_factor_max", p.replication_max);
    o.put("name", p.name);
    o.put("mode", to_string(p.mode));
    o.put("shard_size", p.shard_size);
    o.put("user_allocations", p.user_allocations);
    o.put("expire_at", p.expire_at);
    o.put("metadata", p.metadata);
    o.put("pin_update", p.pin_update);
    o.put("origins", p.origins);
}

void put_short(JsonObject& o, const PinInfoShort& p) {
    o.put("peername", p.peername);
    if (!p.ipfs_peer.empty()) o.put("ipfs_peer_id", p.ipfs_peer);
    if (!p.ipfs_addresses.empty()) o.put("ipfs_peer_addresses", p.ipfs_addresses);
    o.put("status", to_string(p.status));
    o.put("timestamp", p.timestamp);
    o.put("error", p.error);
    o.put("attempt_count", p.attempt_count);
    o.put("priority_pin", p.priority_pin);
    // Ours, and only while there is something to tell.
    if (p.fetched_blocks != 0) o.put("fetched_blocks", p.fetched_blocks);
    if (p.fetched_bytes != 0) o.put("fetched_bytes", p.fetched_bytes);
}

/// The fields a PinInfo and a GlobalPinInfo share, but for `peer`.
template <class T>
void put_common_tail(JsonObject& o, const T& p) {
    o.put("allocations", p.allocations);
    o.put("origins", p.origins);
    o.put("created", p.created);
    o.put("metadata", p.metadata);
}

std::int64_t nanoseconds(Time t) {
    return t.time_since_epoch().count();
}

/// Go's decoders refuse an empty peer id in text, so it is left out.
void put_peer(JsonObject& o, std::string_view name, const PeerId& id) {
    if (!id.empty()) o.put(name, id);
}

void put_metric(JsonObject& o, const Metric& m) {
    o.put("name", m.name);
    put_peer(o, "peer", m.peer);
    o.put("value", m.value);
    o.put("expire", nanoseconds(m.expire));
    o.put("valid", m.valid);
    o.put("weight", m.weight);
    o.put("partitionable", m.partitionable);
    o.put("received_at", nanoseconds(m.received_at));
}

}  // namespace

void append_json(std::string& out, const JsonError& value) {
    JsonObject o(out);
    o.put("code", value.code);
    o.put("message", value.message);
}

void append_json(std::string& out, const Version& value) {
    JsonObject o(out);
    o.put("version", value.version);
}

void append_json(std::string& out, const PeerAddBody& value) {
    JsonObject o(out);
    o.put("peer_id", value.peer_id);
}

void append_json(std::string& out, const PinOptions& value) {
    JsonObject o(out);
    put_options(o, value);
}

void append_json(std::string& out, const Pin& value) {
    JsonObject o(out);
    put_options(o, value.options);
    o.put("cid", value.cid);
    o.put("type", to_string(value.type));
    o.put("allocations", value.allocations);
    o.put("max_depth", value.max_depth);
    o.put("reference", value.reference);
    o.put("timestamp", value.timestamp);
}

void append_json(std::string& out, const PinInfoShort& value) {
    JsonObject o(out);
    put_short(o, value);
}

void append_json(std::string& out, const PinInfo& value) {
    JsonObject o(out);
    o.put("cid", value.cid);
    o.put("name", value.name);
    put_peer(o, "peer", value.peer);
    put_common_tail(o, value);
    put_short(o, value.info);
}

void append_json(std::string& out, const GlobalPinInfo& value) {
    JsonObject o(out);
    o.put("cid", value.cid);
    o.put("name", value.name);
    put_common_tail(o, value);
    o.put("peer_map", value.peer_map);
}

void append_global(std::string& out, const PinInfo& value) {
    JsonObject o(out);
    o.put("cid", value.cid);
    o.put("name", value.name);
    put_common_tail(o, value);
    JsonObject map(o.key("peer_map"));
    map.put(value.peer.to_string(), value.info);
}

void append_json(std::string& out, const IpfsId& value) {
    JsonObject o(out);
    put_peer(o, "id", value.id);
    o.put("addresses", value.addresses);
    o.put("error", value.error);
}

void append_json(std::string& out, const PeerInfo& value) {
    JsonObject o(out);
    put_peer(o, "id", value.id);
    o.put("addresses", value.addresses);
    o.put("cluster_peers", value.cluster_peers);
    o.put("cluster_peers_addresses", value.cluster_peers_addresses);
    o.put("version", value.version);
    o.put("commit", value.commit);
    o.put("rpc_protocol_version", value.rpc_protocol);
    o.put("error", value.error);
    o.put("ipfs", value.ipfs);
    o.put("peername", value.peername);
    // Ours, and only while there is something to tell.
    const auto& note = value.note;
    if (!note.cordon.empty()) {
        o.put("cordon", note.cordon);
        o.put("cordon_since", note.cordon_since);
    }
    if (note.left) o.put("left", *note.left);
    if (note.away_since != kTimeUnset) o.put("away_since", note.away_since);
}

void append_json(std::string& out, const StuckItem& value) {
    JsonObject o(out);
    o.put("cid", value.cid);
    o.put("reason", value.reason);
}

namespace {
/// Unknown numbers are null.
void put_known(JsonObject& o, std::string_view name, const std::optional<std::uint64_t>& value) {
    if (value)
        o.put(name, *value);
    else
        o.key(name) += "null";
}
}  // namespace

void append_json(std::string& out, const DrainReport& value) {
    JsonObject o(out);
    put_peer(o, "id", value.peer);
    o.put("kind", value.kind);
    o.put("since", value.since);
    o.put("everything", value.everything);
    o.put("alive", value.alive);
    o.put("left", value.left());
    o.put("pins", value.pins);
    put_known(o, "kept", value.kept);
    o.put("everywhere", value.everywhere);
    put_known(o, "bytes", value.bytes);
    o.put("blocked", value.blocked);
    o.put("waiting", value.waiting);
    o.put("stuck", value.stuck);
}

void append_json(std::string& out, const Metric& value) {
    JsonObject o(out);
    put_metric(o, value);
}

void append_json(std::string& out, const Alert& value) {
    JsonObject o(out);
    put_metric(o, value.metric);
    o.put("triggered_at", value.triggered_at);
}

void append_json(std::string& out, const ConnectGraph& value) {
    JsonObject o(out);
    put_peer(o, "cluster_id", value.cluster_id);
    o.put("id_to_peername", value.id_to_peername);
    o.put("ipfs_links", value.ipfs_links);
    o.put("cluster_links", value.cluster_links);
    o.put("cluster_trust_links", value.cluster_trust_links);
    o.put("cluster_to_ipfs", value.cluster_to_ipfs);
}

void append_json(std::string& out, const RepoStat& value) {
    JsonObject o(out);
    o.put("RepoSize", value.repo_size);
    o.put("StorageMax", value.storage_max);
}

void append_json(std::string& out, const RepoGcKey& value) {
    JsonObject o(out);
    o.put("key", value.key);
    if (!value.error.empty()) o.put("error", value.error);
}

void append_json(std::string& out, const RepoGc& value) {
    JsonObject o(out);
    put_peer(o, "peer", value.peer);
    o.put("peername", value.peername);
    o.put("keys", value.keys);
    if (!value.error.empty()) o.put("error", value.error);
}

void append_json(std::string& out, const GlobalRepoGc& value) {
    JsonObject o(out);
    o.put("peer_map", value.peer_map);
}

void append_json(std::string& out, const AddedOutput& value) {
    JsonObject o(out);
    o.put("name", value.name);
    o.put("cid", value.cid);
    if (value.bytes != 0) o.put("bytes", value.bytes);
    if (value.size != 0) o.put("size", value.size);
    if (!value.allocations.empty()) o.put("allocations", value.allocations);
}

void append_json(std::string& out, const Bandwidth& value) {
    JsonObject o(out);
    o.put("total_in", value.total_in);
    o.put("total_out", value.total_out);
    o.put("rate_in", value.rate_in);
    o.put("rate_out", value.rate_out);
}

}  // namespace ipfscluster::codec
