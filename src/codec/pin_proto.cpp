#include "codec/pin_proto.hpp"

#include <bit>
#include <limits>

#include "base/proto.hpp"

namespace ipfscluster::codec {
namespace {

using FieldType = ProtoField::Type;

/// Room for a pin without a name: grown to once instead of by doubling.
constexpr std::size_t kUsualPinBytes = 128;

/// protobuf numbers are the base-2 logarithm of ours.
std::uint64_t type_to_proto(PinType type) {
    switch (type) {
        case PinType::data:
        case PinType::meta:
        case PinType::cluster_dag:
        case PinType::shard:
            return static_cast<std::uint64_t>(std::countr_zero(static_cast<std::uint32_t>(type)));
        default:
            return 0;
    }
}

Result<PinType> type_from_proto(std::uint64_t number) {
    if (number > 4) return fail(Kind::corrupt, "unknown pin type " + std::to_string(number));
    return static_cast<PinType>(std::uint32_t{1} << number);
}

void put_number(Bytes& out, std::uint32_t field, std::uint64_t value) {
    if (value != 0) put_proto_varint(out, field, value);
}
void put_signed(Bytes& out, std::uint32_t field, std::int64_t value) {
    put_number(out, field, zigzag(value));
}
void put_bytes(Bytes& out, std::uint32_t field, BytesView value) {
    if (!value.empty()) put_proto_bytes(out, field, value);
}
void put_seconds(Bytes& out, std::uint32_t field, Time value) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(value).time_since_epoch().count();
    if (seconds > 0) put_proto_varint(out, field, static_cast<std::uint64_t>(seconds));
}

Bytes encode_options(const PinOptions& o) {
    Bytes out;
    put_signed(out, 1, o.replication_min);
    put_signed(out, 2, o.replication_max);
    put_bytes(out, 3, o.name);
    put_number(out, 4, o.shard_size);
    put_bytes(out, 7, o.pin_update.bytes());
    put_seconds(out, 8, o.expire_at);
    for (const auto& origin : o.origins) put_proto_bytes(out, 9, origin.bytes());
    Bytes entry;
    for (const auto& [key, value] : o.metadata) {
        entry.clear();
        put_bytes(entry, 1, key);
        put_bytes(entry, 2, value);
        put_proto_bytes(out, 10, entry);
    }
    return out;
}

Result<> expect(const ProtoField& field, FieldType type) {
    if (field.type == type) return ok();
    return fail(Kind::corrupt,
                "field " + std::to_string(field.number) + " has the wrong wire type");
}

Result<std::uint64_t> number_of(const ProtoField& field) {
    ICL_TRY(expect(field, FieldType::varint));
    return field.value;
}
Result<int> sint32_of(const ProtoField& field) {
    ICL_TRY(const auto raw, number_of(field));
    const auto value = unzigzag(raw);
    if (value < INT32_MIN || value > INT32_MAX)
        return fail(Kind::corrupt, "a number beyond 32 bits");
    return static_cast<int>(value);
}
/// A time beyond what our clock holds is cut to its end.
Result<Time> seconds_of(const ProtoField& field) {
    ICL_TRY(const auto raw, number_of(field));
    constexpr auto kMax = std::uint64_t{std::numeric_limits<std::int64_t>::max()} / 1'000'000'000;
    return Time(std::chrono::seconds(static_cast<std::int64_t>(std::min(raw, kMax))));
}
Result<BytesView> bytes_of(const ProtoField& field) {
    ICL_TRY(expect(field, FieldType::bytes));
    return field.bytes;
}
/// A CID that cannot be read counts as none, as in the Go programs.
Result<Cid> cid_of(const ProtoField& field) {
    ICL_TRY(const auto bytes, bytes_of(field));
    auto cid = Cid::from_bytes(bytes);
    return cid ? std::move(cid.value()) : Cid();
}

/// One metadata entry; the legacy map and the sorted list have the same form.
Result<> read_metadata(BytesView in, std::map<std::string, std::string>& metadata) {
    std::string key, value;
    while (!in.empty()) {
        ICL_TRY(const auto field, take_proto_field(in));
        if (field.number > 2) continue;
        ICL_TRY(const auto bytes, bytes_of(field));
        (field.number == 1 ? key : value).assign(bytes);
    }
    metadata.insert_or_assign(std::move(key), std::move(value));
    return ok();
}

Result<> read_options(BytesView in, PinOptions& o) {
    // The sorted list wins over the legacy map whatever their order is.
    std::map<std::string, std::string> legacy;
    while (!in.empty()) {
        ICL_TRY(const auto field, take_proto_field(in));
        switch (field.number) {
            case 1: {
                ICL_TRY(o.replication_min, sint32_of(field));
                break;
            }
            case 2: {
                ICL_TRY(o.replication_max, sint32_of(field));
                break;
            }
            case 3: {
                ICL_TRY(const auto name, bytes_of(field));
                o.name.assign(name);
                break;
            }
            case 4: {
                ICL_TRY(o.shard_size, number_of(field));
                break;
            }
            case 6: {
                ICL_TRY(const auto entry, bytes_of(field));
                ICL_TRY(read_metadata(entry, legacy));
                break;
            }
            case 7: {
                ICL_TRY(o.pin_update, cid_of(field));
                break;
            }
            case 8: {
                ICL_TRY(o.expire_at, seconds_of(field));
                break;
            }
            case 9: {
                ICL_TRY(const auto bytes, bytes_of(field));
                auto origin = Multiaddr::from_bytes(bytes);
                if (!origin) return fail(Kind::corrupt, "origin: " + origin.error().text);
                o.origins.push_back(std::move(origin.value()));
                break;
            }
            case 10: {
                ICL_TRY(const auto entry, bytes_of(field));
                ICL_TRY(read_metadata(entry, o.metadata));
                break;
            }
            default:
                break;
        }
    }
    o.metadata.merge(legacy);
    return ok();
}

Result<> read_pin(BytesView in, Pin& pin) {
    while (!in.empty()) {
        ICL_TRY(const auto field, take_proto_field(in));
        switch (field.number) {
            case 2: {
                ICL_TRY(const auto number, number_of(field));
                ICL_TRY(pin.type, type_from_proto(number));
                break;
            }
            case 3: {
                ICL_TRY(const auto bytes, bytes_of(field));
                auto peer = PeerId::from_bytes(bytes);
                if (!peer) return fail(Kind::corrupt, "allocation: " + peer.error().text);
                pin.allocations.push_back(std::move(peer.value()));
                break;
            }
            case 4: {
                ICL_TRY(pin.max_depth, sint32_of(field));
                break;
            }
            case 5: {
                ICL_TRY(pin.reference, cid_of(field));
                break;
            }
            case 6: {
                ICL_TRY(const auto bytes, bytes_of(field));
                ICL_TRY(read_options(bytes, pin.options));
                break;
            }
            case 7: {
                ICL_TRY(pin.timestamp, seconds_of(field));
                break;
            }
            default:
                break;
        }
    }
    return ok();
}

}  // namespace

Bytes encode_pin(const Pin& pin) {
    Bytes out;
    out.reserve(kUsualPinBytes);
    put_bytes(out, 1, pin.cid.bytes());
    put_number(out, 2, type_to_proto(pin.type));
    for (const auto& peer : pin.allocations) put_proto_bytes(out, 3, peer.bytes());
    put_signed(out, 4, pin.max_depth);
    put_bytes(out, 5, pin.reference.bytes());
    put_proto_bytes(out, 6, encode_options(pin.options));
    put_seconds(out, 7, pin.timestamp);
    return out;
}

Result<Pin> decode_pin(Cid cid, BytesView bytes) {
    const auto where = [&] { return "stored pin " + cid.to_string(); };
    if (bytes.size() > kPinProtoBytesMax)
        return fail(Kind::corrupt,
                    where() + ": " + std::to_string(bytes.size()) + " bytes are too many");
    Pin pin;
    pin.type = PinType::bad;
    pin.max_depth = 0;  // protobuf's default
    auto read = read_pin(bytes, pin);
    if (!read) return fail(Kind::corrupt, where() + ": " + read.error().text);
    pin.options.mode = pin.max_depth == kDepthDirect ? PinMode::direct : PinMode::recursive;
    pin.cid = std::move(cid);
    return pin;
}

}  // namespace ipfscluster::codec
