#include "exchange/message.hpp"

#include "base/varint.hpp"

namespace ipfscluster::exchange {
namespace {

constexpr std::uint64_t kVarint = 0, kFixed64 = 1, kLengthDelimited = 2, kFixed32 = 5;

void put_bytes(Bytes& out, int field, BytesView value) {
    put_uvarint(out, static_cast<std::uint64_t>(field) << 3 | kLengthDelimited);
    put_uvarint(out, value.size());
    out += value;
}

/// Zero is left out, as proto3 does.
void put_number(Bytes& out, int field, std::int64_t value) {
    if (value == 0) return;
    put_uvarint(out, static_cast<std::uint64_t>(field) << 3 | kVarint);
    put_uvarint(out, static_cast<std::uint64_t>(value));
}

struct Field {
    std::uint64_t number = 0;
    std::uint64_t value = 0;  // of a varint
    BytesView bytes;          // of a length-delimited one
    bool delimited = false;
};

/// Reads one field; fixed width ones are skipped over as unknown (number 0).
Result<Field> take_field(BytesView& in) {
    ICL_TRY(const auto key, take_uvarint(in));
    Field field;
    field.number = key >> 3;
    const auto skip = [&](std::size_t bytes) -> Result<Field> {
        if (in.size() < bytes) return fail(Kind::corrupt, "bitswap message: a field is cut short");
        in.remove_prefix(bytes);
        return Field{};
    };
    switch (key & 7) {
        case kVarint: {
            ICL_TRY(field.value, take_uvarint(in));
            return field;
        }
        case kFixed64:
            return skip(8);
        case kFixed32:
            return skip(4);
        case kLengthDelimited: {
            ICL_TRY(const auto length, take_uvarint(in));
            if (length > in.size())
                return fail(Kind::corrupt, "bitswap message: a field is longer than the message");
            field.delimited = true;
            field.bytes = in.substr(0, length);
            in.remove_prefix(length);
            return field;
        }
        default:
            return fail(Kind::corrupt, "bitswap message: unknown wire type");
    }
}

Bytes encode_entry(const WantEntry& entry) {
    Bytes out;
    put_bytes(out, 1, entry.cid.bytes());
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
        ICL_TRY(const auto field, take_field(in));
        if (field.number == 1 && field.delimited) {
            ICL_TRY(entry.cid, Cid::from_bytes(field.bytes));
        } else if (field.number == 2) {
            entry.priority = static_cast<std::int32_t>(field.value);
        } else if (field.number == 3) {
            entry.cancel = field.value != 0;
        } else if (field.number == 4) {
            entry.type = field.value == 1 ? WantType::have : WantType::block;
        } else if (field.number == 5) {
            entry.send_dont_have = field.value != 0;
        }
    }
    if (!entry.cid.defined()) return fail(Kind::corrupt, "bitswap message: a want without a CID");
    return entry;
}

Result<> decode_wantlist(BytesView in, Message& message) {
    while (!in.empty()) {
        ICL_TRY(const auto field, take_field(in));
        if (field.number == 1 && field.delimited) {
            if (message.wants.size() >= kMessageItemsMax)
                return fail(Kind::corrupt, "bitswap message: too many wants");
            ICL_TRY(auto entry, decode_entry(field.bytes));
            message.wants.push_back(std::move(entry));
        } else if (field.number == 2) {
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
        ICL_TRY(const auto field, take_field(in));
        if (field.number == 1 && field.delimited) prefix = field.bytes;
        if (field.number == 2 && field.delimited) data = field.bytes;
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
        ICL_TRY(const auto field, take_field(in));
        if (field.number == 1 && field.delimited) {
            ICL_TRY(presence.cid, Cid::from_bytes(field.bytes));
        } else if (field.number == 2) {
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
    for (const auto& entry : message.wants) put_bytes(wantlist, 1, encode_entry(entry));
    put_number(wantlist, 2, message.full ? 1 : 0);
    Bytes body;
    put_bytes(body, 1, wantlist);  // Go writes it also when it is empty
    for (const auto& block : message.blocks) {
        Bytes payload;
        payload.reserve(block.data.size() + 32);
        put_bytes(payload, 1, block_prefix(block.cid));
        put_bytes(payload, 2, block.data);
        put_bytes(body, 3, payload);
    }
    for (const auto& presence : message.presences) {
        Bytes entry;
        put_bytes(entry, 1, presence.cid.bytes());
        put_number(entry, 2, presence.have ? 0 : 1);
        put_bytes(body, 4, entry);
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
        ICL_TRY(const auto field, take_field(in));
        if (message.blocks.size() >= kMessageItemsMax ||
            message.presences.size() >= kMessageItemsMax)
            return fail(Kind::corrupt, "bitswap message: too many items");
        if (field.number == 5 && !field.delimited) {
            message.pending_bytes = static_cast<std::int32_t>(field.value);
            continue;
        }
        if (!field.delimited) continue;
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

}  // namespace ipfscluster::exchange
