#pragma once
#include <functional>
#include <string>
#include <vector>

#include "model/status.hpp"
#include "tracker/track_planner.hpp"

namespace ipfscluster::tracker {

/// Decisions about copies that are kept after their pin was given to others, as functions on
/// values; `kept_copies.cpp` carries them out.

enum class KeptStep : std::uint8_t {
    nothing,   ///< it is not kept any more
    forget,    ///< the pin is allocated here: the row goes, the copy stays
    release,   ///< nobody is to hold it
    find_out,  ///< whether the copy was ever whole is not known
    ask,       ///< whether others have it
};
KeptStep plan_kept(const Facts& facts);

/// Who may hold the pin besides this peer, and how many of them must.
struct HolderQuestion {
    std::vector<PeerId> holders;  ///< live members, in the order of the pin's allocations
    std::size_t needed = 1;
    bool possible() const { return holders.size() >= needed; }
};
HolderQuestion plan_question(const Pin& pin, const PeerId& self, const std::vector<PeerId>& members,
                             const std::function<bool(const PeerId&)>& alive);

/// Whether a peer's answer says that it holds at least what is kept here. It must speak of the very
/// pin that stands in our pinset: one that is behind may hold less of an earlier one. Indexes are
/// not compared, they need not be the same everywhere.
bool confirms(const PinInfo& answer, const Pin& pin, int kept_depth);

/// What a status row says of a copy that is kept.
std::string kept_text(const Pin& pin);

}  // namespace ipfscluster::tracker
