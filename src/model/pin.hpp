#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "multi/cid.hpp"
#include "multi/multiaddr.hpp"
#include "multi/peer_id.hpp"

namespace ipfscluster {

/// Go's numbers (msgpack, JSON filters); protobuf stores their log2 (reference/internals 2.4).
enum class PinType : std::uint32_t {
    bad = 1,
    data = 2,
    meta = 4,
    cluster_dag = 8,
    shard = 16,
    all = 30
};
/// "pin", "meta-pin", "clusterdag-pin", "shard-pin", "all", "bad-type".
std::string_view to_string(PinType type);
PinType parse_pin_type(std::string_view text);

enum class PinMode : std::uint8_t { recursive = 0, direct = 1 };
std::string_view to_string(PinMode mode);

inline constexpr int kDepthRecursive = -1;
inline constexpr int kDepthDirect = 0;

/// What a user may ask of a pin. Replication 0 means "the peer's default"; -1/-1 means everywhere.
struct PinOptions {
    int replication_min = 0;
    int replication_max = 0;
    std::string name;
    PinMode mode = PinMode::recursive;
    std::uint64_t shard_size = 0;  ///< bytes
    std::vector<PeerId> user_allocations;
    Time expire_at = kTimeUnset;
    std::map<std::string, std::string> metadata;
    Cid pin_update;  ///< undefined: not an update
    std::vector<Multiaddr> origins;
    friend bool operator==(const PinOptions&, const PinOptions&) = default;
};

/// One item of the pinset. Mode and user allocations are not stored; mode follows from max_depth.
struct Pin {
    Cid cid;
    PinType type = PinType::data;
    std::vector<PeerId> allocations;  ///< empty: everywhere (or a meta pin)
    int max_depth = kDepthRecursive;
    Cid reference;
    Time timestamp = kTimeUnset;
    PinOptions options;

    bool everywhere() const { return options.replication_min < 0 && options.replication_max < 0; }
    bool allocated_to(const PeerId& peer) const;
    friend bool operator==(const Pin&, const Pin&) = default;
};

/// Checks a pair of replication factors that has its defaults filled in: neither 0, each ≥ -1, -1
/// only together, min ≤ max. `invalid` says which rule is broken.
Result<> check_replication(int min, int max);

}  // namespace ipfscluster
