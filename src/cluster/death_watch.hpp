#pragma once
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "multi/peer_id.hpp"
#include "runtime/world.hpp"

namespace ipfscluster::cluster {

/// When more than half of the members vanish within one grace time the reason is a common one, and
/// they are likely to come back together: their pins stay where they are for so many grace times.
/// Only who was heard in this peer's life can vanish: after its own start it waits no longer.
inline constexpr int kMassVanishGraces = 10;

/// Who of the members is dead. Missing pings alone say nothing: whoever has been silent for the
/// grace time is a suspect, is asked, and is dead if no answer comes. Pure but for the times handed
/// in; strand of its RepinWorker, whose own view it keeps.
class DeathWatch {
 public:
    explicit DeathWatch(Duration grace) : grace_(grace) {}

    struct View {
        std::set<PeerId> members;
        std::set<PeerId> heard;  ///< those whose pings come, this peer among them
        /// Named as holders of pins, and perhaps members that have not been heard of yet.
        std::set<PeerId> strangers = {};
    };
    void look(const View& view, SteadyTime now);

    /// Whom to ask before they count as dead: silent for the grace time.
    std::vector<PeerId> suspects(SteadyTime now) const;
    /// Since when a member has been silent; nothing when it is heard.
    std::optional<SteadyTime> silent_since(const PeerId& peer) const;
    /// All that are silent now.
    std::vector<PeerId> silent() const;
    /// A silent one has answered: it lives, and its silence begins anew.
    void answered(const PeerId& peer, SteadyTime now);
    /// Of `suspects`, which have not answered, those that are dead. The rest vanished together with
    /// more than half of the members and has time left.
    std::vector<PeerId> dead(const std::vector<PeerId>& suspects, SteadyTime now);

    struct MassVanish {
        std::size_t vanished = 0, members = 0;
        Duration left{};  ///< until those that stay away count as dead
    };
    /// A mass vanish that holds somebody back, once for each.
    std::optional<MassVanish> take_news();

 private:
    struct Silence {
        SteadyTime since;
        bool vanished = false;  ///< was heard before; else not in this peer's life
        bool asked = false;     ///< while it is held back: once is enough
    };
    /// Members that vanished together, back again or not.
    struct Mass {
        std::set<PeerId> peers;
        SteadyTime last{};
        bool told = false;
    };
    void find_mass();
    bool held(const PeerId& peer, SteadyTime now) const;
    SteadyTime end_of_mass() const;

    Duration grace_;
    std::set<PeerId> members_;
    std::set<PeerId> known_;  ///< heard at least once
    std::map<PeerId, Silence> silences_;
    std::optional<Mass> mass_;
    std::optional<MassVanish> news_;
};

/// Whether more than half of `voters` are in `seen`. Pure.
bool majority_seen(const std::vector<PeerId>& voters, const std::set<PeerId>& seen);

}  // namespace ipfscluster::cluster
