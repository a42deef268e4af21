#pragma once
#include "api/ipfsproxy/ipfs_proxy.hpp"
#include "api/rest/rest_api.hpp"
#include "blockstore/indexed_store.hpp"
#include "cli/service/access_log.hpp"
#include "cli/service/member_memory.hpp"
#include "cli/service/peer.hpp"
#include "cli/service/peerstore_file.hpp"
#include "consensus/raft/raft_consensus.hpp"
#include "ipfs/http/http_connector.hpp"
#include "ipfs/rpc/rpc_listener.hpp"
#include "net/bridge_host.hpp"
#include "peer/peer.hpp"
#include "storage/rocks_store.hpp"

namespace ipfscluster::service {

/// Requests that run may go on for this long at a shutdown.
inline constexpr Duration kDrainLimit = std::chrono::seconds(5);

/// The inside of a Peer: what the peer::Peer stands on in service, and the HTTP surfaces over it.
/// One strand.
struct Peer::Parts {
    Parts(World& w, config::Config c, KeyPair k, StartWish s)
        : world(w),
          config(std::move(c)),
          identity(std::move(k)),
          bootstrap(std::move(s.bootstrap)),
          found_alone(s.found_alone),
          memory(w, config.remembered_path()),
          hurry(w),
          peerstore(w, config.peerstore_path(), memory, identity.id) {}

    World& world;
    config::Config config;
    KeyPair identity;
    std::vector<Multiaddr> bootstrap;
    bool found_alone;
    MemberMemory memory;
    peer::Hurry hurry;
    PeerstoreFile peerstore;
    std::optional<Error> failed_early;  ///< the network, before there was a peer to be ended

    // In the order they are made; destroyed in reverse.
    std::unique_ptr<storage::RocksStore> store;
    std::unique_ptr<state::State> state;
    std::unique_ptr<net::BridgeHost> host;
    std::unique_ptr<storage::RocksStore> block_rows;
    std::unique_ptr<blockstore::SegmentStore> blocks;
    std::unique_ptr<node::NodeSupply> supply;
    std::unique_ptr<pubnet::PublicNetwork> public_network;  ///< only when it is on
    std::unique_ptr<peer::Content> content;           ///< with the four above: only when embedded
    std::unique_ptr<ipfshttp::HttpConnector> daemon;  ///< the other choice
    component::IpfsConnector* ipfs = nullptr;         ///< the one of the two that is there
    std::unique_ptr<peer::Peer> core;
    raft::RaftConsensus* raft = nullptr;  ///< the consensus of `core`
    std::unique_ptr<rest::RestApi> rest;
    std::unique_ptr<ipfs_rpc::RpcListener> node_api;
    std::unique_ptr<ipfsproxy::IpfsProxy> proxy;
    std::shared_ptr<AccessLog> access_log;
    bool sending_metrics = false;
    std::string loss;        ///< why the data is not whole; empty: it is, as far as is known
    bool come_back = false;  ///< as somebody new, without it

    void end(Error why);
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
    void make_core();
    peer::MakeConsensus make_consensus();
    peer::Informers make_informers(component::IpfsConnector& of, component::PinTracker& tracker);
    Async<> start_core();
    Async<> start_apis();
    Async<> start_proxy();
    /// What only a service does when its peer is ready.
    void on_ready();
    asio::awaitable<void> connect_swarms();
    asio::awaitable<void> send_metrics();
    template <class Server>
    Async<> drain(Server& server) {
        return hurry.drain([&server](Duration limit) { return server.stop(limit); }, kDrainLimit);
    }
};

}  // namespace ipfscluster::service
