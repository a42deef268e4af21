#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "multi/cid.hpp"
#include "multi/peer_id.hpp"

namespace ipfscluster {

/// Items named one by one in an answer about a peer that is emptied.
inline constexpr std::size_t kStuckItemsMax = 10;

/// An item that does not go on, and why.
struct StuckItem {
    Cid cid;
    std::string reason;
};

/// What a peer says of itself while its pins move to others: what its own pinset, as far as it has
/// come, gives to it, what it keeps for those who have it not yet, and what it has let go.
struct HeldHere {
    std::uint64_t pins = 0;          ///< allocated to it by name, or still to be left to others
    std::uint64_t kept = 0;          ///< copies kept until the new holders have theirs
    std::uint64_t stored_bytes = 0;  ///< by its IPFS side, everything counted; 0: unknown
    std::uint64_t waiting = 0;       ///< of `kept`: those that have been for long
    std::vector<Cid> waiting_items;  ///< some of these
    bool everything = false;         ///< it has heard that it leaves what every peer holds
    std::uint64_t moved = 0;         ///< copies let go since it was told, as others have them
};

/// What is told about a member and how far it has come. Computed when asked for, the same at every
/// peer that has applied the same.
struct DrainReport {
    PeerId peer;
    std::string kind;  ///< none, cordoned, draining, leaving
    Time since = kTimeUnset;
    bool everything = false;
    bool alive = false;
    std::uint64_t pins = 0;             ///< still its own: by name, or what it is to leave
    std::uint64_t everywhere = 0;       ///< pins that every peer holds; left with `everything` only
    std::optional<std::uint64_t> kept;  ///< copies it keeps for others; unknown while it is away
    /// Copies it has let go since it was told, as others have them; unknown while it is away.
    std::optional<std::uint64_t> moved;
    std::optional<std::uint64_t> bytes;  ///< what its IPFS side stores
    std::uint64_t blocked = 0;           ///< of `pins`: nobody could take them now
    std::uint64_t waiting = 0;           ///< of `kept`: others have not got them for long
    std::vector<StuckItem> stuck;        ///< some of the blocked ones, then of those that wait

    /// What has still to become of others, as far as it is known.
    [[nodiscard]] std::uint64_t left() const { return pins + kept.value_or(0); }
};

/// What is told about a member beside what it says of itself.
struct MemberNote {
    std::string cordon;  ///< DrainReport::kind; empty: nothing was told
    Time cordon_since = kTimeUnset;
    std::optional<std::uint64_t> left;  ///< while its pins move: still allocated to it
    Time away_since = kTimeUnset;       ///< its pings have been missing since
};

}  // namespace ipfscluster
