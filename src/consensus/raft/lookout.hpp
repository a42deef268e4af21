#pragma once
#include "consensus/raft/driver.hpp"

namespace ipfscluster::raft {

/// Asks the members, one after another, whether this node still is one, while it hears nothing: a
/// learner that was removed behind its back has no other way to find out (`kSilentElections`).
/// Owned by the consensus component, on its strand. Whoever says "removed" ends the component.
class Lookout {
 public:
    Lookout(World& world, Greeter& greeter, const Driver& driver, const Roster& roster,
            const Life& life, Duration election_timeout)
        : world_(world),
          greeter_(greeter),
          driver_(driver),
          roster_(roster),
          life_(life),
          election_timeout_(election_timeout) {}

    /// A message for this node came.
    void heard() { last_heard_ = world_.steady_now(); }
    asio::awaitable<void> run();

 private:
    PeerId next_to_ask() const;

    World& world_;
    Greeter& greeter_;
    const Driver& driver_;
    const Roster& roster_;
    const Life& life_;
    Duration election_timeout_;
    SteadyTime last_heard_{};
    PeerId last_asked_;
};

}  // namespace ipfscluster::raft
