#include "codec/wire_fields.hpp"

// Peers, metrics, repositories and blocks.
namespace ipfscluster::codec {
namespace {

Result<bool> take_nanoseconds(Reader& in, Time& value) {
    std::int64_t count = 0;
    ICL_TRY(decode(in, count));
    value = Time(std::chrono::nanoseconds(count));
    return true;
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
    f.put("n", value.name);
    f.put("p", value.peer);
    f.put("v", value.value);
    f.put("e", static_cast<std::int64_t>(value.expire.time_since_epoch().count()));
    f.put("d", value.valid);
    f.put("w", value.weight);
    f.put("o", value.partitionable);
    f.put("t", static_cast<std::int64_t>(value.received_at.time_since_epoch().count()));
}
Result<> decode(Reader& in, Metric& value) {
    value = {};
    return read_fields(in, [&](BytesView key, Reader& r) -> Result<bool> {
        if (key == "n") return take(r, value.name);
        if (key == "p") return take(r, value.peer);
        if (key == "v") return take(r, value.value);
        if (key == "e") return take_nanoseconds(r, value.expire);
        if (key == "d") return take(r, value.valid);
        if (key == "w") return take(r, value.weight);
        if (key == "o") return take(r, value.partitionable);
        if (key == "t") return take_nanoseconds(r, value.received_at);
        return false;
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

void encode(Writer& out, const HeldHere& value) {
    FieldWriter f(out);
    f.always("n", value.pins);
    f.always("k", value.kept);
    f.put("b", value.stored_bytes);
    f.put("w", value.waiting);
    f.put("wi", value.waiting_items);
}
Result<> decode(Reader& in, HeldHere& value) {
    value = {};
    return read_fields(in, [&](BytesView key, Reader& r) -> Result<bool> {
        if (key == "n") return take(r, value.pins);
        if (key == "k") return take(r, value.kept);
        if (key == "b") return take(r, value.stored_bytes);
        if (key == "w") return take(r, value.waiting);
        if (key == "wi") return take(r, value.waiting_items);
        return false;
    });
}

}  // namespace ipfscluster::codec
