#pragma once
#include <map>

#include "consensus/raft/driver.hpp"

namespace ipfscluster::raft {

/// Sees in the messages of a running cluster that a node has lost entries it had acknowledged: our
/// own, which ends the component, or at a leader another one's, which is told so when it opens its
/// next stream. None of these messages is for the engine, which would take the logs for equal.
/// Owned by the consensus component, on its strand. No I/O.
class LossWatch {
 public:
    LossWatch(World& world, const Driver& driver, const LogStore& log, const Roster& roster,
              Life& life, Duration election_timeout)
        : world_(world),
          driver_(driver),
          log_(log),
          roster_(roster),
          life_(life),
          election_timeout_(election_timeout) {}

    /// The message says that this node has lost a part of its log; the component has ended.
    bool hears_of_loss(const MessageInfo& info);
    /// The message shows, or may show, that its sender has.
    bool shows_loss(const MessageInfo& info);
    /// Certain, in the term that this node leads.
    bool has_lost(NodeId id) const;
    void forget(NodeId id) { shrunk_.erase(id); }

 private:
    /// Refuses appends that it had acknowledged.
    struct Shrunk {
        std::uint64_t term = 0;
        SteadyTime since{};
        bool certain = false;
    };
    /// Of the engine, while it leads.
    std::optional<EngineStatus> leading() const;

    World& world_;
    const Driver& driver_;
    const LogStore& log_;
    const Roster& roster_;
    Life& life_;
    Duration election_timeout_;
    std::map<NodeId, Shrunk> shrunk_;
};

}  // namespace ipfscluster::raft
