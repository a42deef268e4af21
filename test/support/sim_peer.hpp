#pragma once
#include <memory>
#include <string>

#include "blockstore/memory_block_store.hpp"
#include "consensus/raft/raft_consensus.hpp"
#include "net/memory_host.hpp"
#include "peer/peer.hpp"
#include "runtime/sim_peer_world.hpp"
#include "storage/memory_store.hpp"
#include "support/fake_ipfs.hpp"

namespace ipfscluster::test {

/// Times short enough for a simulated minute to hold many of everything.
struct SimPeerOptions {
    SimPeerOptions();
    /// Another kind than Raft.
    peer::MakeConsensus consensus;
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

/// Addresses on the disk of one machine.
class MemoryPeerstore final : public peer::Peerstore {
 public:
    Async<std::vector<Multiaddr>> load() override { co_return addresses; }
    Async<> save(std::vector<Multiaddr> known) override {
        if (process_gone) co_return fail(Kind::cancelled, "the process is gone");
        addresses = std::move(known);
        co_return ok();
    }
    Async<> remember(std::vector<PeerId> known) override {
        if (process_gone) co_return fail(Kind::cancelled, "the process is gone");
        members = std::move(known);
        co_return ok();
    }
    std::vector<Multiaddr> addresses;
    std::vector<PeerId> members;
    bool process_gone = false;
};

/// One machine with a peer: what the peer stands on is in memory, and a daemon survives its
/// crashes; the peer is the one of the service, but for its HTTP surfaces. Owned by SimCluster;
/// `stopped()` before it is destroyed.
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
        peer::Content content;
    };

    /// One life, from a start to a crash or stop.
    struct Life {
        Life(SimPeer& peer, std::uint64_t number, std::vector<Multiaddr> bootstrap);
        std::uint64_t number;
        storage::MemoryStore store;
        state::State state;
        std::unique_ptr<net::MemoryHost> host;
        std::unique_ptr<Content> content;  ///< empty: a fake daemon
        component::IpfsConnector& ipfs;
        raft::RaftConsensus* raft = nullptr;  ///< the consensus, where it is this kind
        peer::Peer peer;
        component::Consensus& consensus;
        monitor::PubsubMonitor& monitor;
        tracker::Tracker& tracker;
        cluster::Cluster& cluster;
        TaskGroup starting;  ///< what the service's main runs
        TaskGroup clients;   ///< requests that would come over HTTP
    };

    /// Starts a new life on what the last one left on the disk.
    void start(std::vector<Multiaddr> bootstrap = {});
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
    MemoryPeerstore peerstore;
    bool joiner = false;  ///< started with `--bootstrap`
    bool member = true;   ///< false: was removed, and shall not come back
    bool may_hold_more =
        false;  ///< its database was lost: what its daemon holds beyond the pinset is left alone
    std::string problem;  ///< a failure nobody caused

 private:
    peer::PeerOptions peer_options(std::vector<Multiaddr> bootstrap, Life* life) const;
    asio::awaitable<void> run_start();
    Async<> start_parts();
    asio::awaitable<void> watch_end();
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
