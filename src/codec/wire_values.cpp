#include <limits>

#include "codec/wire.hpp"

namespace ipfscluster::codec {
namespace {

constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
/// Seconds that a 64-bit count of nanoseconds can hold.
constexpr std::int64_t kSecondsMax = std::numeric_limits<std::int64_t>::max() / kNanosPerSecond - 1;

template <class Enum>
Result<> decode_enum(Reader& in, Enum& value, std::initializer_list<Enum> known, const char* what) {
    std::int64_t number = 0;
    ICL_TRY(decode(in, number));
    for (const Enum e : known)
        if (static_cast<std::int64_t>(e) == number) {
            value = e;
            return ok();
        }
    return fail(in.error(std::string("unknown ") + what + " " + std::to_string(number)));
}

}  // namespace

void encode(Writer& out, bool value) {
    out.boolean(value);
}
void encode(Writer& out, const std::string& value) {
    out.raw(value);
}
void encode(Writer& out, const Empty&) {
    out.map(0);
}

// Go's decoders refuse an empty string for these three; nil is understood as "none".
void encode(Writer& out, const PeerId& value) {
    if (value.empty()) return out.nil();
    out.raw(value.bytes());
}
void encode(Writer& out, const Cid& value) {
    if (!value.defined()) return out.nil();
    out.raw(value.bytes());
}
void encode(Writer& out, const Multiaddr& value) {
    if (value.empty()) return out.nil();
    out.raw(value.bytes());
}

void encode(Writer& out, Time value) {
    if (value == kTimeUnset) return out.nil();
    const std::int64_t count = value.time_since_epoch().count();
    std::int64_t seconds = count / kNanosPerSecond;
    std::int64_t nanos = count % kNanosPerSecond;
    if (nanos < 0) {
        nanos += kNanosPerSecond;
        --seconds;
    }
    // The payload of the msgpack time stamp extension, in a plain raw value.
    Bytes payload;
    if (seconds < 0 || (seconds >> 34) != 0) {
        put_be32(payload, static_cast<std::uint32_t>(nanos));
        put_be64(payload, static_cast<std::uint64_t>(seconds));
    } else if (nanos == 0 && seconds <= std::int64_t{UINT32_MAX}) {
        put_be32(payload, static_cast<std::uint32_t>(seconds));
    } else {
        put_be64(payload,
                 static_cast<std::uint64_t>(nanos) << 34 | static_cast<std::uint64_t>(seconds));
    }
    out.raw(payload);
}

Result<> decode(Reader& in, bool& value) {
    value = false;
    if (in.take_nil()) return ok();
    ICL_TRY(value, in.boolean());
    return ok();
}

Result<> decode(Reader& in, std::string& value) {
    value.clear();
    if (in.take_nil()) return ok();
    ICL_TRY(const auto bytes, in.raw());
    value.assign(bytes);
    return ok();
}

Result<> decode(Reader& in, Empty&) {
    return in.skip();
}

Result<> decode(Reader& in, PeerId& value) {
    value = {};
    if (in.take_nil()) return ok();
    ICL_TRY(const auto bytes, in.raw());
    if (bytes.empty()) return ok();
    auto id = PeerId::from_bytes(bytes);
    if (!id) return fail(in.error(id.error().text));
    value = std::move(id.value());
    return ok();
}

Result<> decode(Reader& in, Cid& value) {
    value = {};
    if (in.take_nil()) return ok();
    ICL_TRY(const auto bytes, in.raw());
    if (bytes.empty()) return ok();
    auto cid = Cid::from_bytes(bytes);
    if (!cid) return fail(in.error(cid.error().text));
    value = std::move(cid.value());
    return ok();
}

Result<> decode(Reader& in, Multiaddr& value) {
    value = {};
    if (in.take_nil()) return ok();
    ICL_TRY(const auto bytes, in.raw());
    if (bytes.empty()) return ok();
    auto address = Multiaddr::from_bytes(bytes);
    if (!address) return fail(in.error(address.error().text));
    value = std::move(address.value());
    return ok();
}

Result<> decode(Reader& in, Time& value) {
    value = kTimeUnset;
    if (in.take_nil()) return ok();
    ICL_TRY(const auto bytes, in.raw_or_timestamp());
    std::int64_t seconds = 0;
    std::uint64_t nanos = 0;
    switch (bytes.size()) {
        case 0:
            return ok();
        case 4:
            seconds = get_be32(bytes);
            break;
        case 8: {
            const auto both = get_be64(bytes);
            nanos = both >> 34;
            seconds = static_cast<std::int64_t>(both & ((std::uint64_t{1} << 34) - 1));
            break;
        }
        case 12:
            nanos = get_be32(bytes);
            seconds = static_cast<std::int64_t>(get_be64(bytes.substr(4)));
            break;
        default:
            return fail(in.error("a time of " + std::to_string(bytes.size()) + " bytes"));
    }
    if (nanos >= static_cast<std::uint64_t>(kNanosPerSecond))
        return fail(in.error("a time with more than a second of nanoseconds"));
    // Go's zero time (year 1) and anything outside 1678–2262 does not fit our clock.
    if (seconds < -kSecondsMax) return ok();
    if (seconds > kSecondsMax) seconds = kSecondsMax;
    value = Time(
        std::chrono::nanoseconds(seconds * kNanosPerSecond + static_cast<std::int64_t>(nanos)));
    return ok();
}

Result<> decode(Reader& in, TrackerStatus& value) {
    using S = TrackerStatus;
    return decode_enum(in, value,
                       {S::undefined, S::cluster_error, S::pin_error, S::unpin_error, S::error,
                        S::pinned, S::pinning, S::unpinning, S::unpinned, S::remote, S::pin_queued,
                        S::unpin_queued, S::queued, S::sharded, S::unexpectedly_unpinned},
                       "status");
}
Result<> decode(Reader& in, PinType& value) {
    using T = PinType;
    if (auto r = decode_enum(in, value,
                             {T{}, T::bad, T::data, T::meta, T::cluster_dag, T::shard, T::all},
                             "pin type");
        !r)
        return r;
    if (value == T{}) value = T::bad;  // left out by a sender that names only the CID
    return ok();
}
Result<> decode(Reader& in, PinMode& value) {
    return decode_enum(in, value, {PinMode::recursive, PinMode::direct}, "pin mode");
}

}  // namespace ipfscluster::codec
