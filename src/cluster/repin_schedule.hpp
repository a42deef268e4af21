#pragma once
#include <set>
#include <vector>

#include "multi/peer_id.hpp"
#include "runtime/world.hpp"

namespace ipfscluster::cluster {

/// Pause before a walk that left pins unrepaired is repeated though nothing has changed; doubled
/// each time up to the maximum.
inline constexpr Duration kRepinRetryMin = std::chrono::seconds(10);
inline constexpr Duration kRepinRetryMax = std::chrono::minutes(10);

/// When the pinset has to be walked for pins to repair. Pure but for the times handed in; strand of
/// its RepinWorker.
class RepinSchedule {
 public:
    /// The members as this peer sees them.
    struct View {
        bool acting = false;  ///< this peer repairs
        std::set<PeerId> members;
        std::set<PeerId> alive;
        std::vector<PeerId> overdue;  ///< dead for longer than the grace time
    };
    /// Takes note of `view`; true when a walk is due now.
    bool look(const View& view, SteadyTime now);
    /// A walk for `overdue` has ended; `complete` when every pin in need was given new peers.
    void walked(const std::vector<PeerId>& overdue, bool complete, SteadyTime now);

 private:
    View last_;
    std::set<PeerId> walked_for_;  ///< dead peers whose pins a walk has looked at
    bool news_ = false;            ///< a member left, or may have before this peer began to act
    bool unfinished_ = false;      ///< the last walk left something undone
    SteadyTime ended_{};           ///< of that walk
    SteadyTime retry_at_{};
    Duration pause_ = kRepinRetryMin;
};

}  // namespace ipfscluster::cluster
