#pragma once
#include <concepts>
#include <map>
#include <string>
#include <type_traits>
#include <vector>

#include "codec/msgpack.hpp"
#include "model/drain.hpp"
#include "model/metric.hpp"
#include "model/peer_info.hpp"
#include "model/pin.hpp"
#include "model/status.hpp"

/// What peers exchange over RPC and gossip: the model's structs in msgpack with the keys of the Go
/// programs' codec tags. Zero values are left out; unknown keys are ignored; any key order is
/// accepted. Plain functions; any strand.
namespace ipfscluster::codec {

/// Go's `struct{}`: written as an empty map; anything is accepted.
struct Empty {
    friend bool operator==(const Empty&, const Empty&) = default;
};
struct Version {
    std::string version;
    friend bool operator==(const Version&, const Version&) = default;
};
/// Not exchanged by peers: what `GET /health/bandwidth` tells of one protocol.
struct Bandwidth {
    std::int64_t total_in = 0;  ///< bytes
    std::int64_t total_out = 0;
    double rate_in = 0;  ///< bytes per second
    double rate_out = 0;
};
using BandwidthByProtocol = std::map<std::string, Bandwidth>;

template <class T, class... Ts>
concept OneOf = (std::same_as<T, Ts> || ...);
/// Whose fields model_fields.hpp describes.
template <class T>
concept WireStruct = OneOf<T, Version, Pin, PinInfo, IpfsId, PeerInfo, Metric, NodeWithMeta,
                           RepoStat, RepoGcKey, RepoGc, HeldHere>;
template <WireStruct T>
void encode(Writer& out, const T& value);
template <WireStruct T>
Result<> decode(Reader& in, T& value);

void encode(Writer& out, bool value);
void encode(Writer& out, const std::string& value);
void encode(Writer& out, const PeerId& value);
void encode(Writer& out, const Cid& value);
void encode(Writer& out, const Multiaddr& value);
void encode(Writer& out, Time value);
void encode(Writer& out, const Empty& value);

Result<> decode(Reader& in, bool& value);
Result<> decode(Reader& in, std::string& value);
Result<> decode(Reader& in, PeerId& value);
Result<> decode(Reader& in, Cid& value);
Result<> decode(Reader& in, Multiaddr& value);
Result<> decode(Reader& in, Time& value);
Result<> decode(Reader& in, Empty& value);

/// Signed and unsigned numbers keep Go's distinction. `corrupt` when a value does not fit.
template <std::integral T>
requires(!std::same_as<T, bool>) void encode(Writer& out, T value) {
    if constexpr (std::is_signed_v<T>)
        out.signed_int(value);
    else
        out.unsigned_int(value);
}
template <std::integral T>
requires(!std::same_as<T, bool>) Result<> decode(Reader& in, T& value) {
    value = 0;
    if (in.take_nil()) return ok();
    if constexpr (std::is_signed_v<T>) {
        ICL_TRY(const auto number, in.signed_int());
        if (!std::in_range<T>(number)) return fail(in.error("a number out of range"));
        value = static_cast<T>(number);
    } else {
        ICL_TRY(const auto number, in.unsigned_int());
        if (!std::in_range<T>(number)) return fail(in.error("a number out of range"));
        value = static_cast<T>(number);
    }
    return ok();
}

/// Go's enumerations on the wire: status numbers are signed, pin types unsigned.
inline void encode(Writer& out, TrackerStatus value) {
    out.signed_int(static_cast<std::int64_t>(value));
}
inline void encode(Writer& out, PinType value) {
    out.unsigned_int(static_cast<std::uint64_t>(value));
}
inline void encode(Writer& out, PinMode value) {
    out.signed_int(static_cast<std::int64_t>(value));
}
Result<> decode(Reader& in, TrackerStatus& value);
Result<> decode(Reader& in, PinType& value);
Result<> decode(Reader& in, PinMode& value);

/// Empty lists are nil, as Go's are mostly.
template <class T>
void encode(Writer& out, const std::vector<T>& list) {
    if (list.empty()) return out.nil();
    out.array(list.size());
    for (const auto& item : list) encode(out, item);
}
template <class T>
Result<> decode(Reader& in, std::vector<T>& list) {
    list.clear();
    ICL_TRY(const auto count, in.array());
    for (std::size_t i = 0; i < count; ++i) {
        T item{};
        ICL_TRY(decode(in, item));
        list.push_back(std::move(item));
    }
    return ok();
}

template <class T>
void encode(Writer& out, const std::map<std::string, T>& map) {
    if (map.empty()) return out.nil();
    out.map(map.size());
    for (const auto& [key, value] : map) {
        out.raw(key);
        encode(out, value);
    }
}
template <class T>
Result<> decode(Reader& in, std::map<std::string, T>& map) {
    map.clear();
    ICL_TRY(const auto count, in.map());
    for (std::size_t i = 0; i < count; ++i) {
        std::string key;
        ICL_TRY(decode(in, key));
        T value{};
        ICL_TRY(decode(in, value));
        map.insert_or_assign(std::move(key), std::move(value));
    }
    return ok();
}

/// One value as bytes.
template <class T>
Bytes to_msgpack(const T& value) {
    Bytes out;
    Writer writer(out);
    encode(writer, value);
    return out;
}
/// Exactly one value; `corrupt` when malformed or when bytes are left over.
template <class T>
Result<T> from_msgpack(BytesView bytes) {
    Reader reader(bytes);
    T value{};
    ICL_TRY(decode(reader, value));
    if (!reader.at_end()) return fail(reader.error("bytes left over"));
    return value;
}

}  // namespace ipfscluster::codec
