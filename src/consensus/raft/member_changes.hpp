#pragma once
#include <set>

#include "consensus/raft/doorkeeper.hpp"
#include "consensus/raft/leader_duties.hpp"

namespace ipfscluster::raft {

/// The procedures by which members come and go, at whichever peer somebody asks for them: each asks
/// the leader for one change after another and waits until it is applied here. Owned by the
/// consensus component, on its strand. Fails with `conflict` when the cluster's state forbids it,
/// `unavailable` when nothing happened, `unknown_outcome` when a leader has taken what was not seen
/// to be agreed.
class MemberChanges {
 public:
    MemberChanges(World& world, net::Host& host, Greeter& greeter, Driver& driver,
                  LeaderDuties& duties, const LogStore& log, const Roster& roster, const Life& life,
                  const RaftOptions& options)
        : world_(world),
          host_(host),
          greeter_(greeter),
          driver_(driver),
          duties_(duties),
          log_(log),
          roster_(roster),
          life_(life),
          options_(options) {}

    Async<> add(PeerId peer);
    Async<> remove(PeerId peer);
    Async<> move_leadership_from(NodeId id);
    /// Until the level is in force; `unsupported` names the members that hold it back.
    Async<> wait_level(std::uint32_t level, std::string what);

    /// Takes in, as that node, a member that came back without its data.
    asio::awaitable<void> add_again(PeerId peer, NodeId node, std::uint32_t feature_level);
    std::size_t added_again() const { return added_again_.size(); }
    bool adds_again(NodeId node) const { return added_again_.contains(node); }

 private:
    /// One change on its way into the log.
    struct Wish {
        ChangeRequest change;
        std::string what;            ///< for people
        std::function<bool()> done;  ///< as far as this peer has applied the log
        bool accepted = false;       ///< a leader may have taken it
    };
    /// Asks the leader again and again, until it is done.
    Async<> pursue(Wish* wish);
    Async<> ask_leader(ChangeRequest change);
    Async<> add_node(PeerId peer, NodeId id, std::uint32_t feature_level);
    Async<> remove_nodes_of(PeerId peer);
    Result<> may_lose(const PeerId& peer, NodeId id) const;
    NodeId successor_of(NodeId id) const;
    SteadyTime after(Duration limit) const {
        return world_.steady_now() + std::chrono::duration_cast<SteadyTime::duration>(limit);
    }

    World& world_;
    net::Host& host_;
    Greeter& greeter_;
    Driver& driver_;
    LeaderDuties& duties_;
    const LogStore& log_;
    const Roster& roster_;
    const Life& life_;
    const RaftOptions& options_;
    std::set<NodeId> added_again_;  ///< nodes that are being taken in anew
};

}  // namespace ipfscluster::raft
