#pragma once
#include "allocator/balanced_allocator.hpp"
#include "api/ipfsproxy/ipfs_proxy.hpp"
#include "api/rest/rest_api.hpp"
#include "blockstore/indexed_store.hpp"
#include "cli/service/access_log.hpp"
#include "cli/service/hurry.hpp"
#include "cli/service/member_memory.hpp"
#include "cli/service/peer.hpp"
#include "cluster/cluster.hpp"
#include "cluster/peer_client.hpp"
#include "consensus/raft/raft_consensus.hpp"
#include "exchange/bitswap.hpp"
#include "exchange/multi_fetcher.hpp"
#include "informer/informers.hpp"
#include "ipfs/http/http_connector.hpp"
#include "ipfs/node/embedded_node.hpp"
#include "ipfs/node/node_supply.hpp"
#include "ipfs/pubnet/public_network.hpp"
#include "ipfs/rpc/rpc_listener.hpp"
#include "monitor/pubsub_monitor.hpp"
#include "net/bridge_host.hpp"
#include "rpc/client.hpp"
#include "rpc/server.hpp"
#include "runtime/task_group.hpp"
#include "state/state.hpp"
#include "storage/rocks_store.hpp"
#include "tracker/tracker.hpp"

namespace ipfscluster::service {

/// Requests that run may go on for this long at a shutdown.
inline constexpr Duration kDrainLimit = std::chrono::seconds(5);

/// The inside of a Peer, for the files that make it up: peer.cpp builds and takes down,
/// peer_loops.cpp has what runs beside. One strand.
struct Peer::Parts {
    Parts(World& w, config::Config c, KeyPair k, StartWish s)
        : world(w),
          config(std::move(c)),
          identity(std::move(k)),
          bootstrap(std::move(s.bootstrap)),
          found_alone(s.found_alone),
          memory(w, config.remembered_path()),
          tasks(w, "service"),
          ended(w.executor()),
          peerstore_saved(w.executor()),
          hurry(w) {}

    World& world;
    config::Config config;
    KeyPair identity;
    std::vector<Multiaddr> bootstrap;
    bool found_alone;
    MemberMemory memory;
    TaskGroup tasks;
    Signal ended;
    Signal peerstore_saved;
    Hurry hurry;
    std::optional<Error> end_reason;

    // In the order they are made; destroyed in reverse.
    std::unique_ptr<storage::RocksStore> store;
    std::unique_ptr<state::State> state;
    std::unique_ptr<net::BridgeHost> host;
    std::unique_ptr<storage::RocksStore> block_rows;
    std::unique_ptr<blockstore::SegmentStore> blocks;
    std::unique_ptr<node::NodeSupply> supply;
    std::unique_ptr<exchange::Bitswap> bitswap;
    std::unique_ptr<pubnet::PublicNetwork> public_network;  ///< with the next: only when it is on
    std::unique_ptr<exchange::MultiFetcher> both_networks;
    std::unique_ptr<node::EmbeddedNode> node;  ///< with the four above: only when it is embedded
    std::unique_ptr<ipfshttp::HttpConnector> daemon;  ///< the other choice
    component::IpfsConnector* ipfs = nullptr;         ///< the one of the two that is there
    std::unique_ptr<raft::RaftConsensus> consensus;
    std::unique_ptr<monitor::PubsubMonitor> monitor;
    std::unique_ptr<allocator::BalancedAllocator> allocator;
    std::unique_ptr<tracker::Tracker> tracker;
    std::vector<std::unique_ptr<component::Informer>> informers;
    std::unique_ptr<rpc::Server> rpc_server;
    std::unique_ptr<rpc::Client> rpc_client;
    std::unique_ptr<cluster::PeerClient> peer_client;
    std::unique_ptr<cluster::Cluster> cluster;
    std::unique_ptr<rest::RestApi> rest;
    std::unique_ptr<kubo_rpc::RpcListener> node_api;
    std::unique_ptr<ipfsproxy::IpfsProxy> proxy;
    std::shared_ptr<AccessLog> access_log;
    config::Addresses saved_addresses;  ///< what the peerstore file holds
    bool ready_once = false;
    bool saving_peerstore = false;
    bool sending_metrics = false;
    std::string loss;        ///< why the data is not whole; empty: it is, as far as is known
    bool come_back = false;  ///< as somebody new, without it
    bool left = false;       ///< the others agreed that this peer is no member any more

    void end(Error why) {
        if (!end_reason) end_reason = std::move(why);
        ended.notify_all();
    }

    Async<> start_all();
    /// What becomes of a peer whose data is not whole; fails in any case, with the reason.
    Async<> judge_loss();
    std::vector<PeerId> other_members() const;
    std::vector<PeerId> other_voters() const;
    Async<> start_storage();
    Async<> start_network();
    Async<> open_ipfs();
    Async<> open_blocks();
    Async<> open_public_network();
    Async<> open_daemon();
    void make_components();
    void make_informers();
    Async<> start_components();
    Async<> start_apis();
    Async<> start_proxy();
    Async<> save_peerstore();
    asio::awaitable<bool> try_save_peerstore();
    asio::awaitable<bool> remember_members();
    Async<> leave();
    asio::awaitable<void> watch_consensus();
    asio::awaitable<void> bootstrap_loop();
    Async<> check_same_cluster(Multiaddr address);
    asio::awaitable<void> report_ready();
    asio::awaitable<void> connect_swarms();
    asio::awaitable<void> send_metrics();
    asio::awaitable<void> peerstore_loop();
    /// A part of the shutdown: logged, and whatever comes of it, the next one follows.
    asio::awaitable<void> step(const char* what, Async<> work);
    /// As `step`; the first failure is what `Peer::stop` ends with.
    asio::awaitable<void> stop_component(const char* what, Async<> work);
    Async<> logged(const char* what, Async<> work);
    std::optional<Error> stop_failure;
    template <class Server>
    Async<> drain(Server& server) {
        return hurry.drain([&server](Duration limit) { return server.stop(limit); }, kDrainLimit);
    }
};

}  // namespace ipfscluster::service
