#pragma once
#include "codec/fields.hpp"
#include "codec/json_writer.hpp"

/// The fields of every struct of the model that peers exchange or HTTP shows. Included by the two
/// sources that make codecs of them.
namespace ipfscluster::codec {

/// A time that travels as a number.
template <class V>
void describe_nanoseconds(V& v, const FieldName& name, auto& time) {
    std::int64_t count = time.time_since_epoch().count();
    v(name, count);
    if constexpr (V::kReads) time = Time(std::chrono::nanoseconds(count));
}

void describe(auto& v, Of<PinOptions> auto& o) {
    v({"replication_factor_min", "rn"}, o.replication_min);
    v({"replication_factor_max", "rx"}, o.replication_max);
    v({"name", "n"}, o.name);
    v({"mode", "o"}, o.mode);
    v({"shard_size", "s"}, o.shard_size);
    v({"user_allocations", "ua"}, o.user_allocations);
    v({"expire_at", "e"}, o.expire_at);
    v({"metadata", "m"}, o.metadata);
    v({"pin_update", "pu"}, o.pin_update);
    v({"origins", "g"}, o.origins);
}

void describe(auto& v, Of<Pin> auto& p) {
    describe(v, p.options);
    v({"cid", "c", kWireAlways}, p.cid);
    v({"type", "t"}, p.type);
    v({"allocations", "a"}, p.allocations);
    v({"max_depth", "d"}, p.max_depth);
    v({"reference", "r"}, p.reference);
    v({"timestamp", "i"}, p.timestamp);
}

void describe(auto& v, Of<PinInfoShort> auto& p) {
    v({"peername", "pn"}, p.peername);
    v({"ipfs_peer_id", "i"}, p.ipfs_peer);
    v({"ipfs_peer_addresses", "ia", kJsonOmits}, p.ipfs_addresses);
    v({"status", "st"}, p.status);
    v({"timestamp", "ts"}, p.timestamp);
    v({"error", "e"}, p.error);
    v({"attempt_count", "a"}, p.attempt_count);
    v({"priority_pin", "y"}, p.priority_pin);
    // Ours; Go's decoder skips keys it does not know.
    v({"fetched_blocks", "fb", kJsonOmits}, p.fetched_blocks);
    v({"fetched_bytes", "fy", kJsonOmits}, p.fetched_bytes);
}

/// What a row of one peer and a row of all peers share.
void describe_item(auto& v, auto& p) {
    v({"allocations", "o"}, p.allocations);
    v({"origins", "g"}, p.origins);
    v({"created", "t"}, p.created);
    v({"metadata", "md"}, p.metadata);
}

void describe(auto& v, Of<PinInfo> auto& p) {
    v({"cid", "c", kWireAlways}, p.cid);
    v({"name", "m"}, p.name);
    v({"peer", "p"}, p.peer);
    describe_item(v, p);
    describe(v, p.info);
}

void describe(auto& v, Of<GlobalPinInfo> auto& p) {
    v({"cid"}, p.cid);
    v({"name"}, p.name);
    describe_item(v, p);
    v({"peer_map"}, p.peer_map);
}

void describe(auto& v, Of<Version> auto& x) {
    v({"version", "v", kWireAlways}, x.version);
}

void describe(auto& v, Of<IpfsId> auto& x) {
    v({"id", "i"}, x.id);
    v({"addresses", "a", kWireSkipsUnknown}, x.addresses);
    v({"error", "e"}, x.error);
}

template <class V>
void describe(V& v, Of<PeerInfo> auto& p) {
    v({"id", "i"}, p.id);
    v({"addresses", "a", kWireSkipsUnknown}, p.addresses);
    v({"cluster_peers", "cp"}, p.cluster_peers);
    v({"cluster_peers_addresses", "cpa", kWireSkipsUnknown}, p.cluster_peers_addresses);
    v({"version", "v"}, p.version);
    v({"commit", "c"}, p.commit);
    v({"rpc_protocol_version", "rv"}, p.rpc_protocol);
    v({"error", "e"}, p.error);
    v({"ipfs", "ip"}, p.ipfs);
    v({"peername", "pn"}, p.peername);
    if constexpr (V::kJson) {
        // Ours, and only while there is something to tell.
        v({"cordon", "", kJsonOmits}, p.note.cordon);
        if (V::kReads || !p.note.cordon.empty()) v({"cordon_since"}, p.note.cordon_since);
        v({"left", "", kJsonOmits}, p.note.left);
        v({"away_since", "", kJsonOmits}, p.note.away_since);
    }
}

void describe(auto& v, Of<Metric> auto& m) {
    v({"name", "n"}, m.name);
    v({"peer", "p"}, m.peer);
    v({"value", "v"}, m.value);
    describe_nanoseconds(v, {"expire", "e"}, m.expire);
    v({"valid", "d"}, m.valid);
    v({"weight", "w"}, m.weight);
    v({"partitionable", "o"}, m.partitionable);
    describe_nanoseconds(v, {"received_at", "t"}, m.received_at);
}

void describe(auto& v, Of<Alert> auto& a) {
    describe(v, a.metric);
    v({"triggered_at"}, a.triggered_at);
}

void describe(auto& v, Of<RepoStat> auto& s) {
    v({"RepoSize", "r"}, s.repo_size);
    v({"StorageMax", "s", kWireAlways}, s.storage_max);
}

void describe(auto& v, Of<RepoGcKey> auto& k) {
    v({"key", "k"}, k.key);
    v({"error", "e", kJsonOmits}, k.error);
}

void describe(auto& v, Of<RepoGc> auto& c) {
    v({"peer", "p"}, c.peer);
    v({"peername", "pn"}, c.peername);
    v({"keys", "k", kWireAlways}, c.keys);
    v({"error", "e", kJsonOmits}, c.error);
}

// Between peers only.

void describe(auto& v, Of<NodeWithMeta> auto& n) {
    v({"", "d"}, n.data);
    v({"", "c"}, n.cid);
    v({"", "s"}, n.cumulative_size);
}

void describe(auto& v, Of<HeldHere> auto& h) {
    v({"", "n", kWireAlways}, h.pins);
    v({"", "k", kWireAlways}, h.kept);
    v({"", "b"}, h.stored_bytes);
    v({"", "w"}, h.waiting);
    v({"", "wi"}, h.waiting_items);
    v({"", "e"}, h.everything);
    v({"", "m"}, h.moved);
}

// Over HTTP only.

void describe(auto& v, Of<JsonError> auto& e) {
    v({"code"}, e.code);
    v({"message"}, e.message);
}

void describe(auto& v, Of<PeerAddBody> auto& b) {
    v({"peer_id"}, b.peer_id);
}

void describe(auto& v, Of<GlobalRepoGc> auto& c) {
    v({"peer_map"}, c.peer_map);
}

void describe(auto& v, Of<StuckItem> auto& s) {
    v({"cid"}, s.cid);
    v({"reason"}, s.reason);
}

template <class V>
void describe(V& v, Of<DrainReport> auto& r) {
    v({"id"}, r.peer);
    v({"kind"}, r.kind);
    v({"since"}, r.since);
    v({"everything"}, r.everything);
    v({"alive"}, r.alive);
    if constexpr (!V::kReads) v({"left"}, r.left());
    v({"pins"}, r.pins);
    v({"kept"}, r.kept);
    v({"everywhere"}, r.everywhere);
    v({"moved"}, r.moved);
    v({"bytes"}, r.bytes);
    v({"blocked"}, r.blocked);
    v({"waiting"}, r.waiting);
    v({"stuck"}, r.stuck);
}

void describe(auto& v, Of<ConnectGraph> auto& g) {
    v({"cluster_id"}, g.cluster_id);
    v({"id_to_peername"}, g.id_to_peername);
    v({"ipfs_links"}, g.ipfs_links);
    v({"cluster_links"}, g.cluster_links);
    v({"cluster_trust_links"}, g.cluster_trust_links);
    v({"cluster_to_ipfs"}, g.cluster_to_ipfs);
}

void describe(auto& v, Of<AddedOutput> auto& a) {
    v({"name"}, a.name);
    v({"cid"}, a.cid);
    v({"bytes", "", kJsonOmits}, a.bytes);
    v({"size", "", kJsonOmits}, a.size);
    v({"allocations", "", kJsonOmits}, a.allocations);
}

void describe(auto& v, Of<Bandwidth> auto& b) {
    v({"total_in"}, b.total_in);
    v({"total_out"}, b.total_out);
    v({"rate_in"}, b.rate_in);
    v({"rate_out"}, b.rate_out);
}

}  // namespace ipfscluster::codec
