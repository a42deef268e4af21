#pragma once
#include "consensus/raft/driver.hpp"
#include "consensus/raft/level_raise.hpp"

namespace ipfscluster::raft {

/// Entries up to which a learner may lag and still be made a voter.
inline constexpr std::uint64_t kCaughtUpEntries = 64;

/// What whoever leads does for the others: takes changes of members into the log, makes learners
/// voters, takes away the old node of a peer that came back as a new one, and raises the feature
/// level. One change at a time; what does not work now is looked at again with the next tick. Owned
/// by the consensus component, on its strand.
class LeaderDuties {
 public:
    LeaderDuties(Driver& driver, const LogStore& log, const Roster& roster, const Links& links,
                 const RaftOptions& options)
        : driver_(driver), log_(log), roster_(roster), links_(links), options_(options) {}

    /// At the leader: `retryable` when the same may work soon, `conflict` when the cluster's state
    /// forbids it. Ok: it is in the log.
    Async<> change(ChangeRequest change);

    // With each tick of the driver.
    Result<> tend_members(const Engine& engine);
    Result<> tend_level(Engine& engine);

 private:
    bool remove_outlived_node();
    /// What a newcomer has to know.
    std::uint32_t demanded_level(std::uint64_t term) const {
        return level_raise_.demanded(log_.facts().feature_level(), term);
    }

    Driver& driver_;
    const LogStore& log_;
    const Roster& roster_;
    const Links& links_;
    const RaftOptions& options_;
    LevelRaise level_raise_;
};

}  // namespace ipfscluster::raft
