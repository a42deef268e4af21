#pragma once
#include "model/pin.hpp"

namespace ipfscluster::test {

/// A CID of its own for each number, in the order of the numbers' digests.
inline Cid cid(int number) {
    const auto hash = multihash_digest(HashCode::sha2_256, "item " + std::to_string(number));
    return Cid::v1(Codec::raw, hash.value());
}

/// A peer id of its own for each number.
inline PeerId peer(int number) {
    return PeerId::from_bytes(
               multihash_digest(HashCode::sha2_256, "peer " + std::to_string(number)).value())
        .value();
}

/// A recursive pin on the given peers.
inline Pin pin_on(Cid c, std::vector<PeerId> peers) {
    Pin pin;
    pin.cid = std::move(c);
    pin.options.replication_min = static_cast<int>(peers.size());
    pin.options.replication_max = static_cast<int>(peers.size());
    pin.allocations = std::move(peers);
    pin.timestamp = Time(std::chrono::seconds(1767225600));
    return pin;
}

}  // namespace ipfscluster::test
