#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "consensus/raft/links.hpp"

namespace ipfscluster::raft {

/// Tells a leader when to raise the feature level of its cluster: when every member, learners too,
/// announces more than what is in force by the stream that is open to it now. Who is down has
/// announced nothing. Remembers what this leader has put into its log and not applied yet, so that
/// nobody who knows less is taken in meanwhile. No I/O; owned by the consensus component, on its
/// strand.
class LevelRaise {
 public:
    struct MemberLevel {
        NodeId id = 0;
        std::optional<std::uint32_t> announced;
    };
    /// The level to propose in this term, which all members know; nothing: none, or it is under
    /// way.
    std::optional<std::uint32_t> due(std::uint32_t in_force, std::uint64_t term,
                                     const std::vector<MemberLevel>& members) const;
    void proposed(std::uint32_t level, std::uint64_t term) { under_way_ = {level, term}; }
    /// What a newcomer has to know. An earlier leader's entry is applied before a later one changes
    /// the membership.
    std::uint32_t demanded(std::uint32_t in_force, std::uint64_t term) const;

 private:
    struct UnderWay {
        std::uint32_t level = 0;
        std::uint64_t term = 0;
    };
    UnderWay under_way_;
};

/// The log's entry that raises the level.
Bytes level_entry(std::uint32_t level);

/// Members asked at most, and how long each has.
inline constexpr std::size_t kLevelAskedMax = 16;
inline constexpr Duration kLevelAskLimit = std::chrono::seconds(2);
/// Asks the members, of which this peer may be one, what their builds know; a text that goes on
/// with a colon and names those that know less than `level` or do not answer. Empty: none.
Async<std::string> who_knows_less(World& world, net::Host& host, std::vector<PeerId> members,
                                  Hello hello, std::uint32_t level);

}  // namespace ipfscluster::raft
