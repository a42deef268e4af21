#pragma once
#include <algorithm>
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
        if (pins_.contains(cid)) return;
        if (pins_.size() >= kNoRoomMax && !leave_one()) return;
        pins_.emplace(cid, Entry{now});
    }
    /// What came of it last is something else.
    void ended(const Cid& cid) { pins_.erase(cid); }
    /// Those that have failed since `time` or longer. From now on they make place for others:
    /// whoever asks does what can be done about them.
    std::vector<Cid> since(SteadyTime time) {
        std::vector<Cid> out;
        for (auto& [cid, entry] : pins_) {
            if (entry.first > time) continue;
            entry.told = true;
            out.push_back(cid);
        }
        return out;
    }

 private:
    struct Entry {
        SteadyTime first{};
        bool told = false;
    };
    bool leave_one() {
        const auto told = std::find_if(pins_.begin(), pins_.end(),
                                       [](const auto& pin) { return pin.second.told; });
        if (told == pins_.end()) return false;
        pins_.erase(told);
        return true;
    }

    std::map<Cid, Entry> pins_;
};

}  // namespace ipfscluster::tracker
