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

/// After a walk that left nothing behind, another one makes sure: an operation planned before it,
/// on peers that have died or left since, may have landed behind its back. Longer than a commit
/// lasts.
inline constexpr Duration kRepinConfirm = std::chrono::seconds(30);

/// While pins of some peer move: what began before all knew of it, such as a long upload, may still
/// come to it.
inline constexpr Duration kRepinMovingLook = std::chrono::minutes(1);

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
        std::set<PeerId> moving;      ///< their pins go to others because an operator said so
    };
    /// What came of a walk.
    struct Walk {
        bool moved = false;  ///< some pins were given new peers
        bool left = false;   ///< some in need were not, or it did not come to its end
    };
    /// Takes note of `view`; true when a walk is due now.
    bool look(const View& view, SteadyTime now);
    /// A walk for `peers`, dead ones and those whose pins move, has ended.
    void walked(const std::vector<PeerId>& peers, Walk walk, SteadyTime now);

 private:
    View last_;
    std::set<PeerId> walked_for_;  ///< peers whose pins a walk has looked at
    bool news_ = false;            ///< a member left, or may have before this peer began to act
    /// What follows the last walk.
    enum class Next {
        nothing,
        confirmation,  ///< it left nothing behind that it saw
        retry,         ///< it left something undone
        watch          ///< nothing was left, but pins of some peer move
    };
    Next next_ = Next::nothing;
    SteadyTime ended_{};  ///< of that walk
    SteadyTime retry_at_{};
    Duration pause_ = kRepinRetryMin;
};

}  // namespace ipfscluster::cluster
