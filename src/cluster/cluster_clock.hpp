#pragma once
#include <map>
#include <set>
#include <vector>

#include "base/time.hpp"
#include "multi/peer_id.hpp"
#include "runtime/world.hpp"

namespace ipfscluster::cluster {

/// A member's clock that differs by more from the cluster's is told to the operator …
inline constexpr Duration kClockSkewAlert = std::chrono::minutes(1);
/// … when it has for this long: one late message is no wrong clock.
inline constexpr Duration kClockSkewLasts = std::chrono::seconds(20);
/// Our wall clock has jumped when it went on by this much more or less than the steady one.
inline constexpr Duration kClockJump = std::chrono::seconds(5);
/// A peer without others to compare with believes its clock this long after a jump or its start:
/// the time service may be about to set it right.
inline constexpr Duration kLoneClockSettles = std::chrono::minutes(5);

/// What a member's wall clock shows at this moment.
struct ClockReading {
    PeerId peer;
    Time now;
};

/// The cluster's time: the lower median of the clocks of members that are alive, so that neither
/// the clock of whoever leads nor those of a minority make a pin expire early. A pin that goes late
/// is harmless. Pure but for what `look` is handed; one strand.
class ClusterClock {
 public:
    struct View {
        std::set<PeerId> members;
        std::vector<ClockReading> readings;  ///< of members that are alive, this peer among them
        Time wall;                           ///< this peer's own clock
        SteadyTime steady;
    };
    /// Takes note of `view`.
    void look(const View& view);

    /// The cluster's time at the last look; `unavailable` with the reason while it is not known.
    const Result<Time>& time() const { return time_; }

    struct Skew {
        PeerId peer;
        Duration ahead;  ///< negative: behind
    };
    /// Members whose clocks have turned out wrong since the last call: each once until it was right
    /// again.
    std::vector<Skew> take_skews();

 private:
    struct Episode {
        SteadyTime since;
        Duration ahead{};
        bool told = false;
    };
    void note_jump(const View& view);
    Result<Time> judge(const View& view) const;
    void note_skews(const View& view);

    Result<Time> time_ = fail(Kind::unavailable, "the clocks have not been looked at yet");
    bool looked_ = false;
    Time last_wall_{};
    SteadyTime last_steady_{};
    SteadyTime believed_from_{};
    std::map<PeerId, Episode> episodes_;
};

}  // namespace ipfscluster::cluster
