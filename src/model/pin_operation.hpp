#pragma once
#include "model/pin.hpp"

namespace ipfscluster {

/// The modification index on which an operation was planned: 0 means "the CID was not in the
/// pinset", kAnyIndex means "whatever is there".
inline constexpr std::uint64_t kAnyIndex = UINT64_MAX;

/// One change to the pinset, from whoever plans it to whoever applies it. For an unpin only
/// `pin.cid` counts.
struct PinOperation {
    enum class Kind : std::uint8_t { pin = 1, unpin = 2 } kind = Kind::pin;
    Pin pin;
    std::uint64_t expected_index = kAnyIndex;
    /// Expiry proposals: the unpin happens only while the stored pin has expired by this time.
    Time only_if_expired_by = kTimeUnset;
};

}  // namespace ipfscluster
