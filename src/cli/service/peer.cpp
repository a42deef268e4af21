#include "cli/service/peer.hpp"

#include <filesystem>

#include "allocator/balanced_allocator.hpp"
#include "api/ipfsproxy/ipfs_proxy.hpp"
#include "api/rest/rest_api.hpp"
#include "api/rest/tar_stream.hpp"
#include "base/log.hpp"
#include "blockstore/indexed_store.hpp"
#include "cli/service/access_log.hpp"
#include "cli/service/hurry.hpp"
#include "cli/service/options.hpp"
#include "cli/service/provided_keys.hpp"
#include "cli/service/supervisor.hpp"
#include "cluster/cluster.hpp"
#include "cluster/peer_client.hpp"
#include "cluster/rpc_handlers.hpp"
#include "config/peerstore.hpp"
#include "consensus/raft/raft_consensus.hpp"
#include "exchange/bitswap.hpp"
#include "exchange/multi_fetcher.hpp"
#include "informer/informers.hpp"
#include "ipfs/http/http_connector.hpp"
#include "ipfs/node/embedded_node.hpp"
#include "ipfs/node/node_supply.hpp"
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

namespace {

/// Requests that run may go on for this long at a shutdown.
constexpr Duration kDrainLimit = std::chrono::seconds(5);
/// Leaving the cluster waits for a quorum no longer than this.
constexpr Duration kLeaveLimit = std::chrono::seconds(15);
/// How often a changed peerstore is saved while the peer runs: a crash then costs no address.
constexpr Duration kPeerstoreInterval = std::chrono::seconds(2);
/// Pause between two tries to join.
constexpr Duration kJoinRetry = std::chrono::seconds(2);

}  // namespace

struct Peer::Parts {
    Parts(World& w, config::Config c, KeyPair k, std::vector<Multiaddr> b)
        : world(w),
          config(std::move(c)),
          identity(std::move(k)),
          bootstrap(std::move(b)),
          tasks(w, "service"),
          ended(w.executor()),
          hurry(w) {}

    World& world;
    config::Config config;
    KeyPair identity;
    std::vector<Multiaddr> bootstrap;
    TaskGroup tasks;
    Signal ended;
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
    bool sending_metrics = false;
    bool left = false;  ///< the others agreed that this peer is no member any more

    void end(Error why) {
        if (!end_reason) end_reason = std::move(why);
        ended.notify_all();
    }

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
    Async<> leave();
    asio::awaitable<void> watch_consensus();
    asio::awaitable<void> bootstrap_loop();
    asio::awaitable<void> report_ready();
    asio::awaitable<void> connect_swarms();
    asio::awaitable<void> send_metrics();
    asio::awaitable<void> peerstore_loop();
    Async<> step(const char* what, Async<> work);
    template <class Server>
    Async<> drain(Server& server) {
        return hurry.drain([&server](Duration limit) { return server.stop(limit); }, kDrainLimit);
    }
};

Async<> Peer::Parts::start_storage() {
    const auto folder = data_folder(config);
    std::error_code ec;
    std::filesystem::create_directories(folder, ec);
    if (ec) co_return fail(Kind::denied, "cannot make " + folder + ": " + ec.message());
    storage::RocksOptions options;
    options.folder = folder + "/db";
    ICL_CO_TRY(store, storage::RocksStore::open(world, options));
    state = std::make_unique<state::State>(*store, identity.id);
    ICL_CO_TRY(state->open());
    co_return ok();
}

Async<> Peer::Parts::start_network() {
    ICL_CO_TRY(host, co_await net::BridgeHost::start(world, host_options(config, identity)));
    host->on_failure([this](Error why) { end(why.in("the network has failed")); });
    logger("cluster")->info("IPFS Cluster v{} listening on:", kClusterVersion);
    for (const auto& address : host->addresses())
        logger("cluster")->info("        {}", address.to_string());
    config::Warnings warnings;
    ICL_CO_TRY(auto known, config::load_peerstore(config.peerstore_path(), warnings));
    for (const auto& text : warnings) logger("pstoremgr")->warn("{}", text);
    known.insert(known.begin(), config.cluster.peer_addresses.begin(),
                 config.cluster.peer_addresses.end());
    known.insert(known.begin(), bootstrap.begin(), bootstrap.end());
    for (const auto& address : known)
        if (const auto peer = address.peer_id(); peer && *peer != identity.id)
            host->add_addresses(*peer, std::vector<Multiaddr>(1, address.without_peer()));
    co_return ok();
}

Async<> Peer::Parts::open_ipfs() {
    if (!config.embedded.enabled) co_return co_await open_daemon();
    co_return co_await open_blocks();
}

Async<> Peer::Parts::open_daemon() {
    auto options = ipfshttp_options(config);
    options.client.on_id = [this](const IpfsId& id) {
        if (tracker) tracker->set_identity({config.cluster.peername, id});
    };
    options.trigger_informers = [this] {
        if (!sending_metrics && ready_once) sending_metrics = tasks.spawn(send_metrics());
    };
    ICL_CO_TRY(daemon, ipfshttp::HttpConnector::make(world, std::move(options)));
    ipfs = daemon.get();
    co_return ok();
}

asio::awaitable<void> Peer::Parts::send_metrics() {
    auto sent = co_await cluster->send_metrics();
    if (!sent)
        logger("monitor")->debug("metrics could not be sent error=\"{}\"", sent.error().text);
    sending_metrics = false;
}

Async<> Peer::Parts::open_blocks() {
    const auto& folder = config.embedded.folder;
    std::error_code ec;
    std::filesystem::create_directories(folder, ec);
    if (ec) co_return fail(Kind::denied, "cannot make " + folder + ": " + ec.message());
    storage::RocksOptions rows;
    rows.folder = folder + "/index";
    rows.preallocate =
        false;  // on a nearly full disk the index must not take what a collection needs
    ICL_CO_TRY(auto opened,
               co_await blockstore::open_indexed(world, rows, segment_options(config)));
    block_rows = std::move(opened.rows);
    blocks = std::move(opened.blocks);
    supply = std::make_unique<node::NodeSupply>(*blocks);
    bitswap = std::make_unique<exchange::Bitswap>(world, *host, *supply);
    if (config.embedded.network == "public") {
        ICL_CO_TRY(co_await open_public_network());
    }
    exchange::Fetcher* fetcher = bitswap.get();
    if (both_networks) fetcher = both_networks.get();
    net::Host* outside = public_network ? &public_network->host() : host.get();
    node = std::make_unique<node::EmbeddedNode>(
        node::EmbeddedNodeConfig{.world = world,
                                 .blocks = *blocks,
                                 .rows = *block_rows,
                                 .fetcher = fetcher,
                                 .host = outside,
                                 .self = outside->id(),
                                 .options = node_options(config),
                                 .rows_lost = blocks->rebuilt(),
                                 .pinned = [this](const Cid& cid) {
                                     if (public_network) public_network->provide(cid);
                                 }});
    ipfs = node.get();
    co_return ok();
}

Async<> Peer::Parts::open_public_network() {
    auto opened = co_await pubnet::PublicNetwork::start(
        world, public_network_options(config, identity), *supply);
    if (!opened) co_return fail(opened.error().in("ipfs_connector.embedded.network is \"public\""));
    public_network = std::move(opened).value();
    public_network->host().on_failure(
        [this](Error why) { end(why.in("the public network has failed")); });
    both_networks = std::make_unique<exchange::MultiFetcher>(
        world, *bitswap, public_network->fetcher(), [this] { return public_network->state(); });
    co_return ok();
}

void Peer::Parts::make_informers() {
    using namespace informer;
    if (config.disk.enabled)
        informers.push_back(std::make_unique<DiskInformer>(*ipfs,
                                                           config.disk.metric_type == "reposize"
                                                               ? DiskInformer::Type::reposize
                                                               : DiskInformer::Type::freespace,
                                                           config.disk.metric_ttl));
    if (config.tags.enabled)
        informers.push_back(
            std::make_unique<TagsInformer>(config.tags.tags, config.tags.metric_ttl));
    if (config.pinqueue.enabled)
        informers.push_back(std::make_unique<PinQueueInformer>(
            *tracker, config.pinqueue.weight_bucket_size, config.pinqueue.metric_ttl));
    if (config.numpin.enabled)
        informers.push_back(std::make_unique<NumPinInformer>(*ipfs, config.numpin.metric_ttl));
}

void Peer::Parts::make_components() {
    consensus = std::make_unique<raft::RaftConsensus>(world, *host, *store, *state,
                                                      raft_options(config, !bootstrap.empty()));
    monitor = std::make_unique<monitor::PubsubMonitor>(world, *host, monitor_options(config),
                                                       [this] { return consensus->peers(); });
    allocator = std::make_unique<allocator::BalancedAllocator>(config.allocator.allocate_by);
    tracker =
        std::make_unique<tracker::Tracker>(world, *store, *state, *ipfs, tracker_options(config));
    make_informers();
    rpc_server = std::make_unique<rpc::Server>(
        world, *host, [this](const PeerId& p) { return consensus->is_trusted(p); });
    rpc_client = std::make_unique<rpc::Client>(world, *host, *rpc_server);
    peer_client = std::make_unique<cluster::PeerClient>(*rpc_client);
    std::vector<component::Informer*> borrowed;
    for (const auto& i : informers) borrowed.push_back(i.get());
    cluster =
        std::make_unique<cluster::Cluster>(cluster::ClusterParts{.world = world,
                                                                 .host = *host,
                                                                 .state = *state,
                                                                 .consensus = *consensus,
                                                                 .tracker = *tracker,
                                                                 .ipfs = *ipfs,
                                                                 .monitor = *monitor,
                                                                 .allocator = *allocator,
                                                                 .informers = std::move(borrowed),
                                                                 .peers = *peer_client},
                                           cluster_options(config));
}

Async<> Peer::Parts::start_components() {
    if (bitswap) bitswap->start();
    if (public_network && config.embedded.provide != "off")
        public_network->start_providing(provided_keys(config.embedded.provide, *node, *blocks));
    ICL_CO_TRY(co_await ipfs->start());
    // A daemon says later who it is.
    Result<IpfsId> own = IpfsId{};
    if (node) own = co_await node->id();
    tracker->set_identity({config.cluster.peername, own ? own.value() : IpfsId{}});
    ICL_CO_TRY(co_await monitor->start());
    cluster::register_rpc_handlers(
        *rpc_server,
        {.api = *cluster,
         .tracker = *tracker,
         .ipfs = *ipfs,
         .consensus = *consensus,
         .monitor = *monitor,
         .block_allocate = [this](Pin pin) { return cluster->block_allocate(std::move(pin)); },
         .ipfs_id = [this](const PeerId& peer) -> Result<IpfsId> {
             return cluster->ping_info(peer).ipfs;
         },
         .send_metrics = [this] { return cluster->send_metrics(); }});
    rpc_server->start();
    ICL_CO_TRY(co_await consensus->start());
    ICL_CO_TRY(co_await tracker->start());
    ICL_CO_TRY(co_await cluster->start());
    tasks.spawn(watch_consensus());
    tasks.spawn(report_ready());
    tasks.spawn(peerstore_loop());
    if (!bootstrap.empty()) tasks.spawn(bootstrap_loop());
    co_return ok();
}

Async<> Peer::Parts::start_apis() {
    if (config.restapi.enabled) {
        ICL_CO_TRY(access_log, AccessLog::open(config.restapi.http_log_file));
        rest = std::make_unique<rest::RestApi>(
            world, *cluster, config.restapi,
            [log = access_log](std::string_view line) { log->write(line); });
        ICL_CO_TRY(co_await rest->start());
        for (const auto& address : rest->addresses())
            logger("restapi")->info(
                "RESTAPI (HTTP{}): {}",
                config.restapi.basic_auth_credentials.empty() ? "" : " - authenticated",
                address.to_string());
    }
    if (node && !config.embedded.api_listen_multiaddress.empty()) {
        kubo_rpc::RpcListenerConfig listener;
        listener.server.name = "ipfsnode";
        listener.server.listen = config.embedded.api_listen_multiaddress;
        listener.write_tar = rest::write_tar;
        listener.repo_path = config.embedded.folder;
        node_api = std::make_unique<kubo_rpc::RpcListener>(*node, std::move(listener));
        ICL_CO_TRY(co_await node_api->start());
        for (const auto& address : node_api->addresses())
            logger("ipfsnode")->info("IPFS API and gateway: {}", address.to_string());
    }
    if (config.ipfsproxy.enabled) {
        ICL_CO_TRY(co_await start_proxy());
    }
    co_return ok();
}

Async<> Peer::Parts::start_proxy() {
    ICL_CO_TRY(auto log,
               AccessLog::open(config.ipfsproxy.log_file, "ipfsproxy.log_file", "ipfsproxylog"));
    std::vector<Multiaddr> listener;
    if (node_api) listener = node_api->addresses();
    auto before = ipfsproxy::choose_node(config.ipfsproxy, config.embedded.enabled, listener);
    if (before.address && *before.address != config.ipfsproxy.node_multiaddress)
        logger("ipfsproxy")
            ->info(
                "api.ipfsproxy.node_multiaddress says {}, Kubo's usual address; with the embedded "
                "node it "
                "stands for the node's own API",
                config.ipfsproxy.node_multiaddress.to_string());
    if (!before.address) logger("ipfsproxy")->warn("nothing is passed on: {}", before.missing);
    ICL_CO_TRY(proxy,
               ipfsproxy::IpfsProxy::make(world, *cluster, config.ipfsproxy, std::move(before),
                                          [log](std::string_view line) { log->write(line); }));
    ICL_CO_TRY(co_await proxy->start());
    for (const auto& address : proxy->addresses())
        logger("ipfsproxy")->info("IPFS Proxy: {} -> {}", address.to_string(), proxy->node());
    co_return ok();
}

asio::awaitable<void> Peer::Parts::watch_consensus() {
    auto why = co_await consensus->wait_ended();
    end(why);
}

asio::awaitable<void> Peer::Parts::report_ready() {
    while (true) {
        auto ready = co_await cluster->wait_ready(std::chrono::hours(1));
        if (ready) break;
        if (ready.error().kind == Kind::cancelled) co_return;
    }
    ready_once = true;
    logger("cluster")->info("Cluster Peers (without including ourselves):");
    const auto peers = consensus->peers();
    for (const auto& peer : peers)
        if (peer != identity.id) logger("cluster")->info("    - {}", peer.to_string());
    if (peers.size() < 2) logger("cluster")->info("    - No other peers");
    logger("cluster")->info("** IPFS Cluster is READY **");
    notify_supervisor("READY=1");
    if (daemon && config.ipfshttp.connect_swarms_delay.count() > 0) tasks.spawn(connect_swarms());
}

/// Connects the daemon to those of the other members, once, so that they find each other's blocks.
asio::awaitable<void> Peer::Parts::connect_swarms() {
    auto slept = co_await world.sleep_for(config.ipfshttp.connect_swarms_delay);
    if (!slept) co_return;
    auto members = cluster->peers();
    while (true) {
        auto member = co_await members->next();
        if (!member || !member.value()) co_return;
        const auto& info = *member.value();
        if (info.id == identity.id || info.ipfs.addresses.empty()) continue;
        auto connected = co_await ipfs->swarm_connect(info.ipfs.addresses);
        if (!connected && connected.error().kind == Kind::cancelled) co_return;
        if (!connected)
            logger("ipfshttp")
                ->debug("the daemon of a member cannot be reached peer={} error=\"{}\"",
                        info.id.to_string(), connected.error().text);
    }
}

asio::awaitable<void> Peer::Parts::bootstrap_loop() {
    // Every address is tried until one member has taken us in; the peer that asked may be the one
    // that is slow to start.
    while (!consensus->ready()) {
        for (const auto& address : bootstrap) {
            auto joined = co_await cluster->join(address);
            if (joined) {
                logger("cluster")->info("joined through {}", address.to_string());
                co_return;
            }
            if (joined.error().kind == Kind::cancelled) co_return;
            logger("cluster")->warn("joining failed address={} error=\"{}\"", address.to_string(),
                                    joined.error().text);
        }
        // Whoever waits to be added with `peers add` must be known to a member: a connection shows
        // our addresses.
        for (const auto& address : config.cluster.peer_addresses) {
            const auto peer = address.peer_id();
            if (!peer || *peer == identity.id || host->connected(*peer)) continue;
            std::vector<Multiaddr> known(1, address.without_peer());
            auto connected =
                co_await host->connect(*peer, std::move(known), config.cluster.dial_peer_timeout);
            if (!connected && connected.error().kind == Kind::cancelled) co_return;
        }
        auto slept = co_await world.sleep_for(kJoinRetry);
        if (!slept) co_return;
    }
}

Async<> Peer::Parts::save_peerstore() {
    config::Addresses known;
    for (const auto& peer : host->known_peers())
        if (peer != identity.id)
            for (const auto& address : host->known_addresses(peer))
                known.push_back(address.with_peer(peer));
    if (known.empty() || known == saved_addresses) co_return ok();
    auto work = [path = config.peerstore_path(), known]() -> Result<bool> {
        ICL_TRY(config::save_peerstore(path, known));
        return true;
    };
    auto saved = co_await offload(world, std::move(work));
    if (!saved) co_return fail(saved.error());
    saved_addresses = std::move(known);
    co_return ok();
}

Async<> Peer::Parts::leave() {
    ICL_CO_TRY(co_await with_deadline(world, kLeaveLimit, "leaving",
                                      hurry.unless(consensus->remove_peer(identity.id))));
    left = true;
    co_return ok();
}

asio::awaitable<void> Peer::Parts::peerstore_loop() {
    while (true) {
        auto slept = co_await world.sleep_for(kPeerstoreInterval);
        if (!slept) co_return;
        auto saved = co_await save_peerstore();
        if (!saved && saved.error().kind == Kind::cancelled) co_return;
        if (!saved)
            logger("pstoremgr")
                ->warn("the peerstore could not be saved error=\"{}\"", saved.error().text);
    }
}

Async<> Peer::Parts::step(const char* what, Async<> work) {
    const auto start = world.steady_now();
    auto done = co_await std::move(work);
    const auto took =
        std::chrono::duration_cast<std::chrono::milliseconds>(world.steady_now() - start);
    if (done)
        logger("cluster")->info("shutdown: {} took={}", what, format_go_duration(took));
    else
        logger("cluster")->warn("shutdown: {} failed took={} error=\"{}\"", what,
                                format_go_duration(took), done.error().text);
    co_return ok();
}

Peer::Peer(World& world, config::Config config, KeyPair identity, std::vector<Multiaddr> bootstrap)
    : parts_(std::make_unique<Parts>(world, std::move(config), std::move(identity),
                                     std::move(bootstrap))) {}

Peer::~Peer() = default;

Async<> Peer::start() {
    auto& p = *parts_;
    ICL_CO_TRY(co_await p.start_storage());
    ICL_CO_TRY(co_await p.start_network());
    ICL_CO_TRY(co_await p.open_ipfs());
    p.make_components();
    ICL_CO_TRY(co_await p.start_components());
    ICL_CO_TRY(co_await p.start_apis());
    co_return ok();
}

void Peer::hurry() {
    parts_->hurry.now();
}

bool Peer::membership_ended() const {
    return parts_->left || (parts_->consensus && parts_->consensus->removed());
}

asio::awaitable<Error> Peer::wait_ended() {
    while (!parts_->end_reason) {
        auto woken = co_await parts_->ended.wait();
        if (!woken) co_return woken.error();
    }
    co_return *parts_->end_reason;
}

Async<> Peer::stop(bool leave) {
    auto& p = *parts_;
    ICL_CO_TRY(co_await p.step("background tasks end", p.tasks.stop()));
    if (p.rest) {
        ICL_CO_TRY(co_await p.step("the REST API is closed", p.drain(*p.rest)));
    }
    if (p.proxy) {
        ICL_CO_TRY(co_await p.step("the IPFS proxy is closed", p.drain(*p.proxy)));
    }
    if (p.node_api) {
        ICL_CO_TRY(co_await p.step("the node's API is closed", p.drain(*p.node_api)));
    }
    if (p.ready_once) {
        ICL_CO_TRY(co_await p.step("the peerstore is saved", p.save_peerstore()));
    }
    if (p.consensus && leave && p.ready_once) {
        ICL_CO_TRY(co_await p.step("leaving the cluster", p.leave()));
    }
    if (p.cluster) {
        ICL_CO_TRY(co_await p.step("cluster loops end", p.cluster->stop()));
    }
    if (p.rpc_client) {
        ICL_CO_TRY(co_await p.step("calls to other peers end", p.rpc_client->stop()));
    }
    if (p.rpc_server) {
        ICL_CO_TRY(co_await p.step("RPC is closed", p.rpc_server->stop()));
    }
    if (p.consensus) {
        ICL_CO_TRY(co_await p.step("consensus stops", p.consensus->stop()));
    }
    if (p.tracker) {
        ICL_CO_TRY(co_await p.step("the pin tracker stops", p.tracker->stop()));
    }
    if (p.monitor) {
        ICL_CO_TRY(co_await p.step("the monitor stops", p.monitor->stop()));
    }
    if (p.node) {
        ICL_CO_TRY(co_await p.step("the IPFS node stops", p.node->stop()));
    }
    if (p.daemon) {
        ICL_CO_TRY(co_await p.step("the IPFS connector stops", p.daemon->stop()));
    }
    if (p.public_network) {
        ICL_CO_TRY(co_await p.step("the public network is closed", p.public_network->stop()));
    }
    if (p.bitswap) {
        ICL_CO_TRY(co_await p.step("bitswap stops", p.bitswap->stop()));
    }
    if (p.blocks) {
        ICL_CO_TRY(co_await p.step("the block store is closed", p.blocks->close()));
    }
    if (p.block_rows) {
        ICL_CO_TRY(co_await p.step("the block index is flushed", p.block_rows->close()));
    }
    if (p.store) {
        ICL_CO_TRY(co_await p.step("the database is flushed", p.store->close()));
    }
    if (p.host) {
        ICL_CO_TRY(co_await p.step("the network is closed", p.host->close()));
    }
    co_return ok();
}

}  // namespace ipfscluster::service
