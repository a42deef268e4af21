#pragma once
#include "multi/cid.hpp"

/// Where the rows of the pinset stand. A generation is a whole pinset: the live one, the old one
/// until it has been compared, and the one being staged from a snapshot. See docs/formats.md.
namespace ipfscluster::state::keys {

inline constexpr std::string_view kFormat = "format";            ///< meta: BE32
inline constexpr std::string_view kCounters = "state/counters";  ///< meta: Counters
inline constexpr std::string_view kReconcile =
    "state/reconcile";  ///< meta: BE32 old generation ‖ last CID done
inline constexpr std::string_view kTold = "state/told";    ///< meta: Holding
inline constexpr std::string_view kMoved = "state/moved";  ///< meta: BE64

inline Bytes generation(std::uint32_t generation) {
    Bytes key;
    put_be32(key, generation);
    return key;
}
/// pins: generation ‖ CID → BE64 modification index ‖ Pin protobuf.
inline Bytes pin(std::uint32_t of, BytesView cid) {
    return generation(of).append(cid);
}
/// pin_index: generation ‖ 'e' ‖ BE64 seconds ‖ CID → ().
inline Bytes expiry(std::uint32_t of, std::uint64_t seconds, BytesView cid) {
    Bytes key = generation(of) + 'e';
    put_be64(key, seconds);
    return key.append(cid);
}
/// sessions: generation ‖ 's' ‖ origin → SessionWindow.
inline Bytes session(std::uint32_t of, BytesView origin) {
    return (generation(of) + 's').append(origin);
}
/// sessions: generation ‖ 'a' ‖ BE64 last log index ‖ origin → (); the order of eviction.
inline Bytes session_age(std::uint32_t of, std::uint64_t last_index, BytesView origin) {
    Bytes key = generation(of) + 'a';
    put_be64(key, last_index);
    return key.append(origin);
}

inline constexpr std::size_t kGenerationBytes = 4;
inline constexpr std::size_t kAgePrefixBytes = 5 + 8;
inline constexpr std::size_t kExpiryPrefixBytes = 5 + 8;

}  // namespace ipfscluster::state::keys
