#pragma once
#include <cstddef>
#include <map>
#include <vector>

#include "multi/cid.hpp"
#include "runtime/world.hpp"

namespace ipfscluster::tracker {

/// Pins that are remembered to have failed for want of room. Others follow when these have gone.
inline constexpr std::size_t kNoRoomMax = 1024;

/// Pins of this peer that the daemon had no room for at the last try, and since when that is so.
/// Kept in memory: a restart learns it from the next tries. Part of the tracker, its strand.
class NoRoom {
 public:
    /// The last try failed so; counts from the first one in a row.
    void failed(const Cid& cid, SteadyTime now) {
        if (since_.size() < kNoRoomMax) since_.emplace(cid, now);
    }
    /// What came of it last is something else.
    void ended(const Cid& cid) { since_.erase(cid); }
    /// Those that have failed since `time` or longer.
    std::vector<Cid> since(SteadyTime time) const {
        std::vector<Cid> out;
        for (const auto& [cid, first] : since_)
            if (first <= time) out.push_back(cid);
        return out;
    }

 private:
    std::map<Cid, SteadyTime> since_;
};

}  // namespace ipfscluster::tracker
