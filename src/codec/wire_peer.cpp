#include "codec/wire_fields.hpp"

// Peers, metrics, repositories and blocks.
namespace ipfscluster::codec {
namespace {

void put_metric(FieldWriter& f, const Metric& m) {
    f.put("n", m.name);
    f.put("p", m.peer);
    f.put("v", m.value);
    f.put("e", static_cast<std::int64_t>(m.expire.time_since_epoch().count()));
    f.put("d", m.valid);
    f.put("w", m.weight);
    f.put("o", m.partitionable);
    f.put("t", static_cast<std::int64_t>(m.received_at.time_since_epoch().count()));
}

Result<bool> take_nanoseconds(Reader& in, Time& value) {
    std::int64_t count = 0;
    ICL_TRY(decode(in, count));
    value = Time(std::chrono::nanoseconds(count));
    return true;
}

Result<bool> take_metric(BytesView key, Reader& in, Metric& m) {
    if (key == "n") return take(in, m.name);
    if (key == "p") return take(in, m.peer);
    if (key == "v") return take(in, m.value);
    if (key == "e") return take_nanoseconds(in, m.expire);
    if (key == "d") return take(in, m.valid);
    if (key == "w") return take(in, m.weight);
    if (key == "o") return take(in, m.partitionable);
    if (key == "t") return take_nanoseconds(in, m.received_at);
    return false;
}

/// Addresses a peer tells of itself: one with a protocol we do not know is left out, it could not
/// be used.
Result<bool> take_addresses(Reader& in, std::vector<Multiaddr>& list) {
    list.clear();
    ICL_TRY(const auto count, in.array());
    for (std::size_t i = 0; i < count; ++i) {
        std::string bytes;
        ICL_TRY(decode(in, bytes));
        auto address = Multiaddr::from_bytes(bytes);
        if (address) list.push_back(std::move(address.value()));
    }
    return true;
}

}  // namespace

void encode(Writer& out, const Version& value) {
    FieldWriter f(out);
    f.always("v", value.version);
}
Result<> decode(Reader& in, Version& value) {
    value = {};
    return read_fields(in, [&](BytesView key, Reader& r) -> Result<bool> {
        if (key == "v") return take(r, value.version);
        return false;
    });
}

void encode(Writer& out, const IpfsId& value) {
    FieldWriter f(out);
    f.put("i", value.id);
    f.put("a", value.addresses);
    f.put("e", value.error);
}
Result<> decode(Reader& in, IpfsId& value) {
    value = {};
    return read_fields(in, [&](BytesView key, Reader& r) -> Result<bool> {
        if (key == "i") return take(r, value.id);
        if (key == "a") return take_addresses(r, value.addresses);
        if (key == "e") return take(r, value.error);
        return false;
    });
}

void encode(Writer& out, const PeerInfo& value) {
    FieldWriter f(out);
    f.put("i", value.id);
    f.put("a", value.addresses);
    f.put("cp", value.cluster_peers);
    f.put("cpa", value.cluster_peers_addresses);
    f.put("v", value.version);
    f.put("c", value.commit);
    f.put("rv", value.rpc_protocol);
    f.put("e", value.error);
    // A struct: always present, as an empty map when nothing is known.
    f.always("ip", value.ipfs);
    f.put("pn", value.peername);
}
Result<> decode(Reader& in, PeerInfo& value) {
    value = {};
    return read_fields(in, [&](BytesView key, Reader& r) -> Result<bool> {
        if (key == "i") return take(r, value.id);
        if (key == "a") return take_addresses(r, value.addresses);
        if (key == "cp") return take(r, value.cluster_peers);
        if (key == "cpa") return take_addresses(r, value.cluster_peers_addresses);
        if (key == "v") return take(r, value.version);
        if (key == "c") return take(r, value.commit);
        if (key == "rv") return take(r, value.rpc_protocol);
        if (key == "e") return take(r, value.error);
        if (key == "ip") return take(r, value.ipfs);
        if (key == "pn") return take(r, value.peername);
        return false;
    });
}

void encode(Writer& out, const Metric& value) {
    FieldWriter f(out);
    put_metric(f, value);
}
Result<> decode(Reader& in, Metric& value) {
    value = {};
    return read_fields(in, [&](BytesView key, Reader& r) { return take_metric(key, r, value); });
}

void encode(Writer& out, const Alert& value) {
    FieldWriter f(out);
    put_metric(f, value.metric);
    f.put("r", value.triggered_at);
}
Result<> decode(Reader& in, Alert& value) {
    value = {};
    return read_fields(in, [&](BytesView key, Reader& r) -> Result<bool> {
        if (key == "r") return take(r, value.triggered_at);
        return take_metric(key, r, value.metric);
    });
}

void encode(Writer& out, const NodeWithMeta& value) {
    FieldWriter f(out);
    f.put("d", value.data);
    f.put("c", value.cid);
    f.put("s", value.cumulative_size);
}
Result<> decode(Reader& in, NodeWithMeta& value) {
    value = {};
    return read_fields(in, [&](BytesView key, Reader& r) -> Result<bool> {
        if (key == "d") return take(r, value.data);
        if (key == "c") return take(r, value.cid);
        if (key == "s") return take(r, value.cumulative_size);
        return false;
    });
}

void encode(Writer& out, const RepoStat& value) {
    FieldWriter f(out);
    f.put("r", value.repo_size);
    f.always("s", value.storage_max);
}
Result<> decode(Reader& in, RepoStat& value) {
    value = {};
    return read_fields(in, [&](BytesView key, Reader& r) -> Result<bool> {
        if (key == "r") return take(r, value.repo_size);
        if (key == "s") return take(r, value.storage_max);
        return false;
    });
}

void encode(Writer& out, const RepoGcKey& value) {
    FieldWriter f(out);
    f.put("k", value.key);
    f.put("e", value.error);
}
Result<> decode(Reader& in, RepoGcKey& value) {
    value = {};
    return read_fields(in, [&](BytesView key, Reader& r) -> Result<bool> {
        if (key == "k") return take(r, value.key);
        if (key == "e") return take(r, value.error);
        return false;
    });
}

void encode(Writer& out, const RepoGc& value) {
    FieldWriter f(out);
    f.put("p", value.peer);
    f.put("pn", value.peername);
    f.always("k", value.keys);
    f.put("e", value.error);
}
Result<> decode(Reader& in, RepoGc& value) {
    value = {};
    return read_fields(in, [&](BytesView key, Reader& r) -> Result<bool> {
        if (key == "p") return take(r, value.peer);
        if (key == "pn") return take(r, value.peername);
        if (key == "k") return take(r, value.keys);
        if (key == "e") return take(r, value.error);
        return false;
    });
}

void encode(Writer& out, const GlobalRepoGc& value) {
    FieldWriter f(out);
    f.put("pm", value.peer_map);
}
Result<> decode(Reader& in, GlobalRepoGc& value) {
    value = {};
    return read_fields(in, [&](BytesView key, Reader& r) -> Result<bool> {
        if (key == "pm") return take(r, value.peer_map);
        return false;
    });
}

void encode(Writer& out, const ConnectGraph& value) {
    FieldWriter f(out);
    f.always("id", value.cluster_id);
    f.put("ip", value.id_to_peername);
    f.put("il", value.ipfs_links);
    f.put("cl", value.cluster_links);
    f.put("ctl", value.cluster_trust_links);
    f.put("ci", value.cluster_to_ipfs);
}
Result<> decode(Reader& in, ConnectGraph& value) {
    value = {};
    return read_fields(in, [&](BytesView key, Reader& r) -> Result<bool> {
        if (key == "id") return take(r, value.cluster_id);
        if (key == "ip") return take(r, value.id_to_peername);
        if (key == "il") return take(r, value.ipfs_links);
        if (key == "cl") return take(r, value.cluster_links);
        if (key == "ctl") return take(r, value.cluster_trust_links);
        if (key == "ci") return take(r, value.cluster_to_ipfs);
        return false;
    });
}

void encode(Writer& out, const Bandwidth& value) {
    FieldWriter f(out);
    f.put("i", value.total_in);
    f.put("o", value.total_out);
    f.put("ri", value.rate_in);
    f.put("ro", value.rate_out);
}
Result<> decode(Reader& in, Bandwidth& value) {
    value = {};
    return read_fields(in, [&](BytesView key, Reader& r) -> Result<bool> {
        if (key == "i") return take(r, value.total_in);
        if (key == "o") return take(r, value.total_out);
        if (key == "ri") return take(r, value.rate_in);
        if (key == "ro") return take(r, value.rate_out);
        return false;
    });
}

}  // namespace ipfscluster::codec
