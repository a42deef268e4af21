#include "bitswap/message.hpp"

#include "base/proto.hpp"

namespace ipfscluster::bitswap {
namespace {

/// Zero is left out, as proto3 does.
void put_number(Bytes& out, std::uint32_t field, std::int64_t value) {
    if (value != 0) put_proto_varint(out, field, static_cast<std::uint64_t>(value));
}

Bytes encode_entry(const WantEntry& entry) {
    Bytes out;
    put_proto_bytes(out, 1, entry.cid.bytes());
    put_number(out, 2, entry.priority);
    put_number(out, 3, entry.cancel ? 1 : 0);
    put_number(out, 4, static_cast<int>(entry.type));
    put_number(out, 5, entry.send_dont_have ? 1 : 0);
    return out;
}

Result<WantEntry> decode_entry(BytesView in) {
    WantEntry entry;
    entry.priority = 0;
    while (!in.empty()) {
        ICL_TRY(const auto field, take_proto_field(in));
        if (field.is_bytes(1)) {
            ICL_TRY(entry.cid, Cid::from_bytes(field.bytes));
        } else if (field.is_number(2)) {
            entry.priority = static_cast<std::int32_t>(field.value);
        } else if (field.is_number(3)) {
            entry.cancel = field.value != 0;
        } else if (field.is_number(4)) {
            entry.type = field.value == 1 ? WantType::have : WantType::block;
        } else if (field.is_number(5)) {
            entry.send_dont_have = field.value != 0;
        }
    }
    if (!entry.cid.defined()) return fail(Kind::corrupt, "bitswap message: a want without a CID");
    return entry;
}

Result<> decode_wantlist(BytesView in, Message& message) {
    while (!in.empty()) {
        ICL_TRY(const auto field, take_proto_field(in));
        if (field.is_bytes(1)) {
            if (message.wants.size() >= kMessageItemsMax)
                return fail(Kind::corrupt, "bitswap message: too many wants");
            ICL_TRY(auto entry, decode_entry(field.bytes));
            message.wants.push_back(std::move(entry));
        } else if (field.is_number(2)) {
            message.full = field.value != 0;
        }
    }
    return ok();
}

/// version, codec, hash function, hash length; all but the length decide the CID.
Bytes block_prefix(const Cid& cid) {
    Bytes out;
    put_uvarint(out, static_cast<std::uint64_t>(cid.version()));
    put_uvarint(out, cid.codec());
    auto multihash = cid.multihash();
    const auto parts = parse_multihash(multihash);
    put_uvarint(out, parts ? parts.value().code : 0);
    put_uvarint(out, parts ? parts.value().digest.size() : 0);
    return out;
}

Result<std::optional<dag::Block>> decode_block(BytesView in) {
    BytesView prefix, data;
    while (!in.empty()) {
        ICL_TRY(const auto field, take_proto_field(in));
        if (field.is_bytes(1)) prefix = field.bytes;
        if (field.is_bytes(2)) data = field.bytes;
    }
    ICL_TRY(const auto version, take_uvarint(prefix));
    ICL_TRY(const auto codec, take_uvarint(prefix));
    ICL_TRY(const auto function, take_uvarint(prefix));
    ICL_TRY(const auto length, take_uvarint(prefix));
    if (version > 1) return fail(Kind::corrupt, "bitswap message: unknown CID version");
    const auto multihash = multihash_digest(static_cast<HashCode>(function), data);
    if (!multihash || function == static_cast<std::uint64_t>(HashCode::identity))
        return std::optional<dag::Block>{};
    ICL_TRY(const auto parts, parse_multihash(multihash.value()));
    if (parts.digest.size() != length) return std::optional<dag::Block>{};
    if (version == 0 && (function != static_cast<std::uint64_t>(HashCode::sha2_256) ||
                         codec != static_cast<std::uint64_t>(Codec::dag_pb)))
        return fail(Kind::corrupt, "bitswap message: no such CID of version 0");
    auto cid = version == 0 ? Cid::v0(multihash.value()) : Cid::v1(codec, multihash.value());
    return std::optional<dag::Block>(dag::Block{std::move(cid), Bytes(data)});
}

Result<Presence> decode_presence(BytesView in) {
    Presence presence;
    presence.have = true;  // the enumeration's zero
    while (!in.empty()) {
        ICL_TRY(const auto field, take_proto_field(in));
        if (field.is_bytes(1)) {
            ICL_TRY(presence.cid, Cid::from_bytes(field.bytes));
        } else if (field.is_number(2)) {
            presence.have = field.value == 0;
        }
    }
    if (!presence.cid.defined())
        return fail(Kind::corrupt, "bitswap message: a presence without a CID");
    return presence;
}

/// A 1.0 block: its CID is version 0.
Result<dag::Block> decode_plain_block(BytesView data) {
    ICL_TRY(const auto multihash, multihash_digest(HashCode::sha2_256, data));
    return dag::Block{Cid::v0(multihash), Bytes(data)};
}

}  // namespace

Bytes encode_message(const Message& message) {
    Bytes wantlist;
    for (const auto& entry : message.wants) put_proto_bytes(wantlist, 1, encode_entry(entry));
    put_number(wantlist, 2, message.full ? 1 : 0);
    Bytes body;
    put_proto_bytes(body, 1, wantlist);  // Go writes it also when it is empty
    for (const auto& block : message.blocks) {
        Bytes payload;
        payload.reserve(block.data.size() + 32);
        put_proto_bytes(payload, 1, block_prefix(block.cid));
        put_proto_bytes(payload, 2, block.data);
        put_proto_bytes(body, 3, payload);
    }
    for (const auto& presence : message.presences) {
        Bytes entry;
        put_proto_bytes(entry, 1, presence.cid.bytes());
        put_number(entry, 2, presence.have ? 0 : 1);
        put_proto_bytes(body, 4, entry);
    }
    put_number(body, 5, message.pending_bytes);
    Bytes out;
    out.reserve(body.size() + kVarintBytesMax);
    put_uvarint(out, body.size());
    out += body;
    return out;
}

namespace {
Result<Message> decode_body(BytesView in) {
    Message message;
    while (!in.empty()) {
        ICL_TRY(const auto field, take_proto_field(in));
        if (message.blocks.size() >= kMessageItemsMax ||
            message.presences.size() >= kMessageItemsMax)
            return fail(Kind::corrupt, "bitswap message: too many items");
        if (field.is_number(5)) {
            message.pending_bytes = static_cast<std::int32_t>(field.value);
            continue;
        }
        if (field.type != ProtoField::Type::bytes) continue;
        switch (field.number) {
            case 1: {
                ICL_TRY(decode_wantlist(field.bytes, message));
                break;
            }
            case 2: {
                ICL_TRY(auto block, decode_plain_block(field.bytes));
                message.blocks.push_back(std::move(block));
                break;
            }
            case 3: {
                ICL_TRY(auto block, decode_block(field.bytes));
                if (block) message.blocks.push_back(std::move(*block));
                break;
            }
            case 4: {
                ICL_TRY(auto presence, decode_presence(field.bytes));
                message.presences.push_back(std::move(presence));
                break;
            }
            default:
                break;
        }
    }
    return message;
}

}  // namespace

Result<Message> decode_message(BytesView bytes) {
    auto message = decode_body(bytes);
    // A bad CID is reported as invalid by its parser; here it came in a message.
    if (!message) return fail(Kind::corrupt, message.error().text);
    return message;
}

}  // namespace ipfscluster::bitswap
