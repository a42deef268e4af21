#pragma once
#include <memory>
#include <string>
#include <vector>

#include "model/status.hpp"
#include "runtime/source.hpp"
#include "runtime/world.hpp"

namespace ipfscluster::cluster {

/// A peer that stays silent this long in the middle of a list of records is given up for the rest
/// of it.
inline constexpr Duration kStatusSilenceMax = std::chrono::seconds(2);

/// Rows read ahead of each peer.
inline constexpr std::size_t kStatusBatchMax = 64;

/// One peer's part in a global list: its rows sorted by CID, or the reason why it has none.
struct StatusBranch {
    PeerId peer;
    std::string peername;     ///< from its last ping
    SourcePtr<PinInfo> rows;  ///< empty: the peer is known to be away
    std::string error;        ///< why, when it is
    Duration silence_max = kStatusSilenceMax;
    bool own = false;  ///< rows of this very peer: they may take long (a filter that few match),
                       ///< but never fall silent
};

/// Merges the branches by CID into one global list in constant memory (kStatusBatchMax rows per
/// peer). A peer that is away, fails or falls silent is a `cluster_error` in each row it might
/// belong to; after the last row such a stream ends with an error that names those that fell away
/// in the middle. Rows of no other peer are never invented for it.
SourcePtr<GlobalPinInfo> merge_status(World& world, std::vector<StatusBranch> branches);

}  // namespace ipfscluster::cluster
