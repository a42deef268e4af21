#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/caller_check.hpp"
#include "cluster/cluster.hpp"
#include "component/consensus.hpp"
#include "monitor/pubsub_monitor.hpp"
#include "peer/address_keeper.hpp"
#include "peer/content.hpp"
#include "peer/hurry.hpp"
#include "peer/joiner.hpp"
#include "peer/shutdown.hpp"
#include "rpc/client.hpp"
#include "rpc/server.hpp"
#include "tracker/tracker.hpp"

namespace ipfscluster::peer {

/// What a peer stands on; all outlive it.
struct PeerParts {
    World& world;
    net::Host& host;
    storage::Store& store;
    state::State& state;  ///< over `store`, opened
    component::IpfsConnector& ipfs;
    Content* content = nullptr;  ///< whose node `ipfs` is; null: `ipfs` is a daemon
    Peerstore& peerstore;
};

/// Makes the peer's consensus, of whatever kind. `monitor` knows whose pings come.
using MakeConsensus = std::function<std::unique_ptr<component::Consensus>(
    const PeerParts&, component::PeerMonitor& monitor)>;
using Informers = std::vector<std::unique_ptr<component::Informer>>;

struct PeerOptions {
    MakeConsensus consensus;
    monitor::MonitorOptions monitor;
    tracker::TrackerOptions tracker;
    cluster::ClusterOptions cluster;
    std::vector<std::string> allocate_by;
    JoinerOptions join;
    std::function<Informers(component::IpfsConnector&, component::PinTracker&)> informers;
    /// Called once, when the peer is ready and has saved the addresses of its members.
    std::function<void()> on_ready;
};

/// A whole peer but for its HTTP surfaces: the components, made bottom up, what runs beside them
/// (joining, saving addresses, watching for the end), and the order of start and stop. The service
/// and the simulation both make their peers of it. Owned by either; one strand. After `start`,
/// whatever came of it, `stop_tasks` and `stop` must be awaited before it is destroyed.
class Peer {
 public:
    Peer(PeerParts parts, PeerOptions options);
    ~Peer();

    /// The host learns where others are, and this is saved: a peer that dies while it is taken in
    /// would be a member that knows nobody. Before `start`.
    Async<> learn_addresses();
    /// Fails with the reason of the first part that cannot start.
    Async<> start();

    /// Why this peer must end by itself: it was removed, or a part of it failed; `cancelled` when
    /// the wait was.
    asio::awaitable<Error> wait_ended();
    /// A part that this one does not know has failed.
    void end(Error why);

    /// First of the shutdown: what runs beside ends. Requests that run are then ended by whoever
    /// let them in.
    asio::awaitable<void> stop_tasks(Shutdown* shutdown);
    /// Leaves the cluster if wanted, then ends the components in reverse order. A hurry cuts what
    /// waits for others.
    asio::awaitable<void> stop(Shutdown* shutdown, Hurry* hurry, bool leave);

    /// This peer left or was removed: its consensus data is of no use to it any more.
    bool membership_ended() const { return left_ || consensus_->removed(); }
    bool ready() const { return ready_; }

    component::Consensus& consensus() { return *consensus_; }
    monitor::PubsubMonitor& monitor() { return monitor_; }
    tracker::Tracker& tracker() { return tracker_; }
    cluster::Cluster& cluster() { return *cluster_; }
    rpc::Server& rpc() { return server_; }
    rpc::Client& calls() { return client_; }
    /// For what ends with the peer.
    TaskGroup& tasks() { return tasks_; }

 private:
    asio::awaitable<void> watch_consensus();
    asio::awaitable<void> report_ready();
    Async<> leave();

    PeerParts parts_;
    PeerOptions options_;
    monitor::PubsubMonitor monitor_;
    std::unique_ptr<component::Consensus> consensus_;
    std::unique_ptr<component::Allocator> allocator_;
    tracker::Tracker tracker_;
    Informers informers_;
    rpc::Server server_;
    rpc::Client client_;
    cluster::PeerClient peers_;
    cluster::CallerCheck callers_;
    std::unique_ptr<cluster::Cluster> cluster_;
    AddressKeeper addresses_;
    Joiner joiner_;
    TaskGroup tasks_;
    Signal ended_;
    std::optional<Error> end_reason_;
    bool ready_ = false;
    bool left_ = false;  ///< the others agreed that this peer is no member any more
};

}  // namespace ipfscluster::peer
