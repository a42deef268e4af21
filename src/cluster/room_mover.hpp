#pragma once
#include "cluster/parts.hpp"
#include "cluster/pinner.hpp"

namespace ipfscluster::cluster {

/// How often this peer looks whether pins have failed for want of room, at most.
inline constexpr Duration kRoomLookInterval = std::chrono::minutes(1);
inline constexpr Duration kRoomLookMin = std::chrono::seconds(1);

/// Gives pins to others that this peer's daemon has had no room for as long as a dead peer is
/// waited for: a holder that cannot hold counts like one that is away. Only what is below its
/// minimum without this peer moves, at the pace of repairs. Each peer does so for itself, since it
/// alone knows why a pin failed; that another operation came first is seen at the commit. Owned by
/// Cluster, its strand.
class RoomMover {
 public:
    RoomMover(const ClusterParts& parts, const ClusterOptions& options, Pinner& pinner)
        : parts_(parts), options_(options), pinner_(pinner) {}

    /// Until it is cancelled.
    asio::awaitable<void> run();

 private:
    Async<> move_all();

    const ClusterParts& parts_;
    const ClusterOptions& options_;
    Pinner& pinner_;
    bool told_ = false;  ///< that nobody else has room, until one could be moved
};

}  // namespace ipfscluster::cluster
