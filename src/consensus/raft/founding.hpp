#pragma once
#include "consensus/raft/greeter.hpp"
#include "consensus/raft/options.hpp"

namespace ipfscluster::raft {

/// How a peer without state becomes part of a cluster.
///
/// Founders write the same first configuration, each under a node id that follows from its peer id.
/// A founder that lost its disk must not do that again: it would vote twice. So a peer without
/// state founds only after every other founder has answered that it never accepted a message of it
/// (each writes that down, synced, before it accepts the first), and otherwise comes back under a
/// random id and asks to be added. A founder alone has nobody to ask but the members that it
/// remembers: it waits for them, unless the operator says that it shall found anew.
///
/// Owned by the consensus component, on its strand. Fails when the disk does, and with `conflict`
/// when a member says that this node was removed; whoever does not answer is asked again.
class Founding {
 public:
    Founding(World& world, net::Host& host, storage::Store& store, Greeter& greeter, LogStore& log,
             Roster& roster, Life& life, const RaftOptions& options)
        : world_(world),
          host_(host),
          store_(store),
          greeter_(greeter),
          log_(log),
          roster_(roster),
          life_(life),
          options_(options) {}

    /// Decides who this node is, writes it down and tells the roster. True: it founded, and is a
    /// member; false: it has to be taken in.
    Async<bool> identify();
    /// Until some member has taken it in.
    Async<> ask_to_join();

 private:
    enum class KnownPeersSay {
        remembered,  ///< one of them knows us
        unknown,
        silent,  ///< not all answered
    };
    // True: the cluster knows us, join it anew; false: found.
    Async<bool> ask_founders(std::vector<PeerId> others);
    Async<bool> ask_before_founding_alone();
    /// What remembered members and peers of the peerstore that are no founders say of us.
    Async<KnownPeersSay> ask_known_peers();
    std::vector<PeerId> other_known_peers() const;
    std::vector<PeerId> founders() const;
    /// The operator wants a cluster begun here.
    bool told_to_found() const { return options_.found_alone || !log_.imported().empty(); }
    Async<> found(std::vector<PeerId> founders);
    Async<> become_newcomer();
    /// Logged when it begins.
    void hindered_by(const std::string& why);

    World& world_;
    net::Host& host_;
    storage::Store& store_;
    Greeter& greeter_;
    LogStore& log_;
    Roster& roster_;
    Life& life_;
    const RaftOptions& options_;
};

}  // namespace ipfscluster::raft
