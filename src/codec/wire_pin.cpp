#include "codec/wire_fields.hpp"

// Pins and their status. Field order is Go's declaration order with embedded structs in place.
namespace ipfscluster::codec {
namespace {

void put_options(FieldWriter& f, const PinOptions& o) {
    f.put("rn", o.replication_min);
    f.put("rx", o.replication_max);
    f.put("n", o.name);
    f.put("o", o.mode);
    f.put("s", o.shard_size);
    f.put("ua", o.user_allocations);
    f.put("e", o.expire_at);
    f.put("m", o.metadata);
    f.put("pu", o.pin_update);
    f.put("g", o.origins);
}

Result<bool> take_option(BytesView key, Reader& in, PinOptions& o) {
    if (key == "rn") return take(in, o.replication_min);
    if (key == "rx") return take(in, o.replication_max);
    if (key == "n") return take(in, o.name);
    if (key == "o") return take(in, o.mode);
    if (key == "s") return take(in, o.shard_size);
    if (key == "ua") return take(in, o.user_allocations);
    if (key == "e") return take(in, o.expire_at);
    if (key == "m") return take(in, o.metadata);
    if (key == "pu") return take(in, o.pin_update);
    if (key == "g") return take(in, o.origins);
    return false;
}

void put_short(FieldWriter& f, const PinInfoShort& p) {
    f.put("pn", p.peername);
    f.put("i", p.ipfs_peer);
    f.put("ia", p.ipfs_addresses);
    f.put("st", p.status);
    f.put("ts", p.timestamp);
    f.put("e", p.error);
    f.put("a", p.attempt_count);
    f.put("y", p.priority_pin);
    // Ours; Go's decoder skips keys it does not know.
    f.put("fb", p.fetched_blocks);
    f.put("fy", p.fetched_bytes);
}

Result<bool> take_short(BytesView key, Reader& in, PinInfoShort& p) {
    if (key == "pn") return take(in, p.peername);
    if (key == "i") return take(in, p.ipfs_peer);
    if (key == "ia") return take(in, p.ipfs_addresses);
    if (key == "st") return take(in, p.status);
    if (key == "ts") return take(in, p.timestamp);
    if (key == "e") return take(in, p.error);
    if (key == "a") return take(in, p.attempt_count);
    if (key == "y") return take(in, p.priority_pin);
    if (key == "fb") return take(in, p.fetched_blocks);
    if (key == "fy") return take(in, p.fetched_bytes);
    return false;
}

}  // namespace

void encode(Writer& out, const Pin& value) {
    FieldWriter f(out);
    put_options(f, value.options);
    f.always("c", value.cid);
    f.put("t", value.type);
    f.put("a", value.allocations);
    f.put("d", value.max_depth);
    f.put("r", value.reference);
    f.put("i", value.timestamp);
}
Result<> decode(Reader& in, Pin& value) {
    value = {};
    value.type = PinType::bad;
    value.max_depth = kDepthDirect;  // 0, which a sender leaves out
    return read_fields(in, [&](BytesView key, Reader& r) -> Result<bool> {
        if (key == "c") return take(r, value.cid);
        if (key == "t") return take(r, value.type);
        if (key == "a") return take(r, value.allocations);
        if (key == "d") return take(r, value.max_depth);
        if (key == "r") return take(r, value.reference);
        if (key == "i") return take(r, value.timestamp);
        return take_option(key, r, value.options);
    });
}

void encode(Writer& out, const PinInfo& value) {
    FieldWriter f(out);
    f.always("c", value.cid);
    f.put("m", value.name);
    f.put("p", value.peer);
    f.put("o", value.allocations);
    f.put("g", value.origins);
    f.put("t", value.created);
    f.put("md", value.metadata);
    put_short(f, value.info);
}
Result<> decode(Reader& in, PinInfo& value) {
    value = {};
    return read_fields(in, [&](BytesView key, Reader& r) -> Result<bool> {
        if (key == "c") return take(r, value.cid);
        if (key == "m") return take(r, value.name);
        if (key == "p") return take(r, value.peer);
        if (key == "o") return take(r, value.allocations);
        if (key == "g") return take(r, value.origins);
        if (key == "t") return take(r, value.created);
        if (key == "md") return take(r, value.metadata);
        return take_short(key, r, value.info);
    });
}

}  // namespace ipfscluster::codec
