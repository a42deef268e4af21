#pragma once
#include <map>
#include <memory>
#include <set>
#include <string>

#include "blockstore/memory_block_store.hpp"
#include "consensus/raft/raft_consensus.hpp"
#include "net/memory_host.hpp"
#include "peer/peer.hpp"
#include "runtime/sim_peer_world.hpp"
#include "storage/memory_store.hpp"
#include "support/fake_ipfs.hpp"
#include "support/memory_floor_file.hpp"

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

inline constexpr std::uint64_t kBlocksBytesMax = 1ull << 30;
/// So many synced batches of a database can be lost.
inline constexpr std::size_t kTailBatchesMax = 64;

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
    /// There is no room for one of the next writes to the database: the peer must end by itself
    /// then, and counts as crashed.
    void fill_database(std::uint64_t nth_write);
    /// No room for content: what is not held yet is refused until there is.
    void fill_disk(bool full);
    /// The process dies and its disk has lost the newest `batches` that were synced. Nothing when
    /// it could not be known later that they were: the floor under the log is written once a
    /// second.
    bool crash_and_lose_tail(std::size_t batches);
    /// The process dies and a row of the log, or of what stands beside it, cannot be read any more.
    void crash_and_damage(bool log_entry);
    /// Whether it has noticed that data is missing, and runs without serving until others say that
    /// theirs is whole or the loss is accepted.
    bool stands_with_loss() const;
    /// As `state accept-loss` and the stop before it: the next start goes on with what there is.
    void accept_loss();
    /// An orderly end.
    void stop();
    /// Those of `items`, with the blocks each has, that the disks hold whole and that a collection
    /// would keep. `certain`: also after a power cut now.
    std::set<Cid> keeps(const std::map<Cid, std::vector<Bytes>>& items, bool certain);
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
    int came_back_anew = 0;  ///< data that was not whole was put aside
    std::string problem;     ///< a failure nobody caused

 private:
    peer::PeerOptions peer_options(std::vector<Multiaddr> bootstrap, Life* life) const;
    asio::awaitable<void> run_start();
    Async<> start_parts();
    asio::awaitable<void> watch_end();
    Async<bool> others_are_whole();
    asio::awaitable<void> put_data_aside();
    asio::awaitable<void> end_life();

    static std::shared_ptr<storage::MemoryDisk> new_disk();

    net::MemoryNetwork& network_;
    SimPeerOptions options_;
    std::shared_ptr<storage::MemoryDisk> disk_ = new_disk();
    std::shared_ptr<MemoryFloorFile> floor_ = std::make_shared<MemoryFloorFile>();
    std::shared_ptr<storage::MemoryDisk> rows_disk_ = std::make_shared<storage::MemoryDisk>();
    std::shared_ptr<blockstore::MemoryBlockDisk> block_disk_ =
        std::make_shared<blockstore::MemoryBlockDisk>();
    std::unique_ptr<Life> life_;
    std::uint64_t life_number_ = 0;
    bool up_ = false;
    bool stopped_ = true;
    bool disk_broken_ = false;
    bool data_lost_ = false;  ///< by the disk: the peer has to notice
    std::uint64_t blocks_bytes_max_ = kBlocksBytesMax;
};

}  // namespace ipfscluster::test
