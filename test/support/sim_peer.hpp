#pragma once
#include <memory>
#include <string>

#include "allocator/balanced_allocator.hpp"
#include "blockstore/memory_block_store.hpp"
#include "cluster/cluster.hpp"
#include "consensus/raft/raft_consensus.hpp"
#include "exchange/bitswap.hpp"
#include "informer/informers.hpp"
#include "ipfs/node/embedded_node.hpp"
#include "ipfs/node/node_supply.hpp"
#include "monitor/pubsub_monitor.hpp"
#include "net/memory_host.hpp"
#include "rpc/client.hpp"
#include "rpc/server.hpp"
#include "runtime/sim_peer_world.hpp"
#include "storage/memory_store.hpp"
#include "support/fake_ipfs.hpp"
#include "tracker/tracker.hpp"

namespace ipfscluster::test {

/// Times short enough for a simulated minute to hold many of everything.
struct SimPeerOptions {
    SimPeerOptions();
    raft::RaftOptions raft;
    monitor::MonitorOptions monitor;
    tracker::TrackerOptions tracker;
    cluster::ClusterOptions cluster;
    Duration metric_ttl = std::chrono::seconds(2);
    bool acknowledge_without_sync = false;
    /// A mistake to be noticed: copies go as soon as others are given the pin.
    bool believe_holders_unasked = false;
    /// Real content: the embedded node and bitswap instead of a fake daemon.
    bool embedded = false;
    node::NodeOptions node;
};

/// One whole peer as the service wires it, but for its HTTP surfaces: in-memory database and
/// network, and a daemon that survives its crashes. Owned by SimCluster; `stopped()` before it is
/// destroyed.
class SimPeer {
 public:
    SimPeer(SimWorld& shared, net::MemoryNetwork& network, PeerId id, SimPeerOptions options);
    ~SimPeer();

    /// The embedded node and what it stands on.
    struct Content {
        Content(SimPeer& peer, state::State& state, storage::Store& store, net::Host& host);
        storage::MemoryStore rows;
        blockstore::MemoryBlockStore blocks;
        node::NodeSupply supply;
        exchange::Bitswap bitswap;
        node::EmbeddedNode node;
    };

    /// The components of one life, from a start to a crash or stop.
    struct Life {
        Life(SimPeer& peer, std::uint64_t number);
        std::uint64_t number;
        storage::MemoryStore store;
        state::State state;
        std::unique_ptr<net::MemoryHost> host;
        std::unique_ptr<Content> content;  ///< empty: a fake daemon
        component::IpfsConnector& ipfs;
        raft::RaftConsensus consensus;
        monitor::PubsubMonitor monitor;
        allocator::BalancedAllocator allocator;
        tracker::Tracker tracker;
        informer::DiskInformer disk;
        rpc::Server server;
        rpc::Client client;
        cluster::PeerClient peers;
        cluster::Cluster cluster;
        TaskGroup tasks;    ///< what the service's main runs
        TaskGroup clients;  ///< requests that would come over HTTP
    };

    /// Starts a new life on what the last one left on the disk. `known`: addresses of the
    /// peerstore.
    void start(const std::vector<PeerId>& known, std::vector<Multiaddr> bootstrap = {});
    /// The process dies: unsynced writes are lost, streams break, requests get no answer.
    void crash();
    /// The process dies and its database is gone.
    void crash_and_wipe();
    /// The disk reports an error at one of the next syncs; the peer must end by itself then, and
    /// counts as crashed.
    void break_disk(std::uint64_t nth_sync);
    /// An orderly end.
    void stop();
    /// Runs and answers.
    bool up() const { return up_; }
    /// Nothing of the last life runs any more.
    bool stopped() const { return stopped_; }
    Life& life() { return *life_; }
    std::uint64_t life_number() const { return life_number_; }

    const PeerId id;
    /// The world as this peer sees it: its wall clock may be off.
    SimPeerWorld world;
    FakeIpfs ipfs;
    bool joiner = false;  ///< started with `--bootstrap`
    bool member = true;   ///< false: was removed, and shall not come back
    bool may_hold_more =
        false;  ///< its database was lost: what its daemon holds beyond the pinset is left alone
    std::string problem;  ///< a failure nobody caused

 private:
    asio::awaitable<void> run_start(std::vector<Multiaddr> bootstrap);
    Async<> start_parts();
    asio::awaitable<void> watch_end();
    asio::awaitable<void> join_through(std::vector<Multiaddr> bootstrap);
    asio::awaitable<void> end_life();

    net::MemoryNetwork& network_;
    SimPeerOptions options_;
    std::shared_ptr<storage::MemoryDisk> disk_ = std::make_shared<storage::MemoryDisk>();
    std::shared_ptr<storage::MemoryDisk> rows_disk_ = std::make_shared<storage::MemoryDisk>();
    std::shared_ptr<blockstore::MemoryBlockDisk> block_disk_ =
        std::make_shared<blockstore::MemoryBlockDisk>();
    std::unique_ptr<Life> life_;
    std::uint64_t life_number_ = 0;
    bool up_ = false;
    bool stopped_ = true;
    bool disk_broken_ = false;
};

}  // namespace ipfscluster::test
