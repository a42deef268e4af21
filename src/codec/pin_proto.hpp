#pragma once
#include "base/result.hpp"
#include "model/pin.hpp"

namespace ipfscluster::codec {

/// Largest stored pin accepted.
inline constexpr std::size_t kPinProtoBytesMax = 1024 * 1024;

/// The protobuf form in which Go peers store and replicate a pin (api.pb.Pin). Deterministic:
/// fields ascend, defaults are left out, metadata is sorted. Times lose their fraction of a second;
/// mode and user allocations are not part of it. Any strand.
Bytes encode_pin(const Pin& pin);

/// The inverse. The CID comes from the key the value is stored under. Mode follows from the depth.
/// A reference or update source that cannot be read counts as none; a bad peer id or multiaddress
/// makes the pin `corrupt`. Unknown fields are skipped.
Result<Pin> decode_pin(Cid cid, BytesView bytes);

}  // namespace ipfscluster::codec
