#include "cli/service/peer.hpp"

#include <filesystem>
#include <set>

#include "api/rest/tar_stream.hpp"
#include "base/log.hpp"
#include "cli/service/offline_state.hpp"
#include "cli/service/options.hpp"
#include "cli/service/peer_parts.hpp"
#include "cli/service/provided_keys.hpp"
#include "cluster/rpc_handlers.hpp"
#include "config/peerstore.hpp"
#include "consensus/raft/loss.hpp"
#include "tracker/pins_to_hold.hpp"

namespace ipfscluster::service {

Async<> Peer::Parts::start_storage() {
    const auto folder = data_folder(config);
    std::error_code ec;
    std::filesystem::create_directories(folder, ec);
    if (ec) co_return fail(Kind::denied, "cannot make " + folder + ": " + ec.message());
    storage::RocksOptions options;
    options.folder = folder + "/db";
    ICL_CO_TRY(memory.load());
    if (!bootstrap.empty()) {
        auto noted = co_await memory.note_joining();
        if (!noted && noted.error().kind == Kind::cancelled) co_return fail(noted.error());
        if (!noted)
            logger("service")->warn("{} cannot be written error=\"{}\"", config.remembered_path(),
                                    noted.error().text);
    }
    auto opened = storage::RocksStore::open(world, options);
    Result<> whole = ok();
    if (opened) {
        store = std::move(opened.value());
        state = std::make_unique<state::State>(*store, identity.id);
        whole = state->open();
    } else {
        whole = fail(opened.error());
    }
    if (!whole && whole.error().kind == Kind::corrupt) loss = whole.error().text;
    co_return whole;
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
    saved_addresses = known;
    known.insert(known.begin(), config.cluster.peer_addresses.begin(),
                 config.cluster.peer_addresses.end());
    known.insert(known.begin(), bootstrap.begin(), bootstrap.end());
    for (const auto& address : known)
        if (const auto peer = address.peer_id(); peer && *peer != identity.id)
            host->add_addresses(*peer, std::vector<Multiaddr>(1, address.without_peer()));
    // Before it joins: a peer that dies while it is taken in is a member that knows nobody.
    const bool went_on = co_await try_save_peerstore();
    if (!went_on) co_return fail(Kind::cancelled, "cancelled");
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
                                 .wanted = [this] { return tracker::pins_to_hold(*state, *store); },
                                 .pinned =
                                     [this](const Cid& cid) {
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
    auto agreement = raft_options(config, !bootstrap.empty());
    agreement.remembered = memory.known().members;
    agreement.joining = memory.known().joining;
    agreement.found_alone = found_alone;
    agreement.floor = std::make_shared<raft::DiskFloorFile>(floor_path(config));
    consensus =
        std::make_unique<raft::RaftConsensus>(world, *host, *store, *state, std::move(agreement));
    monitor = std::make_unique<monitor::PubsubMonitor>(world, *host, monitor_options(config),
                                                       [this] { return consensus->peers(); });
    allocator = std::make_unique<allocator::BalancedAllocator>(config.allocator.allocate_by);
    tracker =
        std::make_unique<tracker::Tracker>(world, *store, *state, *ipfs, tracker_options(config));
    make_informers();
    rpc_server = std::make_unique<rpc::Server>(
        world, *host, [this](const PeerId& p) { return consensus->is_trusted(p); });
    rpc_client = std::make_unique<rpc::Client>(world, *host);
    peer_client = std::make_unique<cluster::PeerClient>(*rpc_client);
    tracker->ask_holders_through(
        {.members = [this] { return consensus->peers(); },
         .alive = [this](const PeerId& p) { return monitor->alive(p); },
         .status = [this](PeerId p,
                          Cid cid) { return peer_client->status(std::move(p), std::move(cid)); }});
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
                                                                 .peers = *peer_client,
                                                                 .store = *store},
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
    cluster::register_rpc_handlers(*rpc_server, {.api = *cluster,
                                                 .tracker = *tracker,
                                                 .ipfs = *ipfs,
                                                 .consensus = *consensus,
                                                 .alive = [this] { return cluster->alive(); }});
    rpc_server->start();
    auto agreeing = co_await consensus->start();
    if (!agreeing) {
        loss = consensus->loss();
        co_return fail(agreeing.error());
    }
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

Async<> Peer::Parts::logged(const char* what, Async<> work) {
    const auto start = world.steady_now();
    auto done = co_await std::move(work);
    const auto took =
        std::chrono::duration_cast<std::chrono::milliseconds>(world.steady_now() - start);
    if (done)
        logger("cluster")->info("shutdown: {} took={}", what, format_go_duration(took));
    else
        logger("cluster")->warn("shutdown: {} failed took={} error=\"{}\"", what,
                                format_go_duration(took), done.error().text);
    co_return done;
}

asio::awaitable<void> Peer::Parts::step(const char* what, Async<> work) {
    (void)co_await logged(what, std::move(work));
}

asio::awaitable<void> Peer::Parts::stop_component(const char* what, Async<> work) {
    auto done = co_await logged(what, std::move(work));
    if (!done && !stop_failure) stop_failure = done.error().in("shutdown: " + std::string(what));
}

Peer::Peer(World& world, config::Config config, KeyPair identity, StartWish wish)
    : parts_(std::make_unique<Parts>(world, std::move(config), std::move(identity),
                                     std::move(wish))) {}

Peer::~Peer() = default;

Async<> Peer::Parts::start_all() {
    ICL_CO_TRY(co_await start_storage());
    ICL_CO_TRY(co_await start_network());
    ICL_CO_TRY(co_await open_ipfs());
    make_components();
    ICL_CO_TRY(co_await start_components());
    ICL_CO_TRY(co_await start_apis());
    co_return ok();
}

std::vector<PeerId> Peer::Parts::other_members() const {
    std::set<PeerId> others(memory.known().members.begin(), memory.known().members.end());
    if (consensus)
        for (const auto& [id, record] : consensus->log().nodes())
            if (!record.removed) others.insert(record.peer);
    others.erase(identity.id);
    return {others.begin(), others.end()};
}

/// Whose votes count: learners do not make a quorum. Without a log that says it, all are taken for
/// voters.
std::vector<PeerId> Peer::Parts::other_voters() const {
    std::set<PeerId> others;
    if (consensus) {
        const auto& nodes = consensus->log().nodes();
        for (const auto& member : consensus->log().members())
            if (const auto known = nodes.find(member.id); !member.learner && known != nodes.end())
                others.insert(known->second.peer);
    }
    if (others.empty()) return other_members();
    others.erase(identity.id);
    return {others.begin(), others.end()};
}

Async<> Peer::Parts::judge_loss() {
    auto others = other_voters();
    const auto count = others.size();
    logger("service")->error(
        "this peer's data is not whole; {} other members are asked error=\"{}\"", count, loss);
    if (!host) {
        ICL_CO_TRY(co_await start_network());
    }
    ICL_CO_TRY(come_back, co_await raft::quorum_is_intact(world, *host, std::move(others),
                                                          config.raft.network_timeout));
    if (come_back) {
        // Without its data it must know whom to wait for, also where no earlier build has noted it.
        auto members = other_members();
        members.push_back(identity.id);
        ICL_CO_TRY(co_await memory.keep(std::move(members), identity.id));
        co_return fail(Kind::corrupt, loss +
                                          "; the other members are whole, so this peer comes "
                                          "back as a new one and its old data is put aside");
    }
    co_return fail(
        Kind::corrupt,
        loss + ". Of the " + std::to_string(count) +
            " other members it knows too few say that their data is whole to go on without this "
            "peer, so nothing is touched. Start it again when they run, or let it go on with what "
            "is there: `ipfs-cluster-service state accept-loss`");
}

Async<> Peer::start() {
    auto& p = *parts_;
    auto started = co_await p.start_all();
    if (started || p.loss.empty()) co_return started;
    co_return co_await p.judge_loss();
}

bool Peer::comes_back_anew() const {
    return parts_->come_back;
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
    co_await p.step("background tasks end", p.tasks.stop());
    if (p.rest) {
        co_await p.step("the REST API is closed", p.drain(*p.rest));
    }
    if (p.proxy) {
        co_await p.step("the IPFS proxy is closed", p.drain(*p.proxy));
    }
    if (p.node_api) {
        co_await p.step("the node's API is closed", p.drain(*p.node_api));
    }
    if (p.ready_once) {
        co_await p.step("the peerstore is saved", p.save_peerstore());
    }
    if (p.consensus && leave && p.ready_once) {
        co_await p.step("leaving the cluster", p.leave());
    }
    if (p.cluster) {
        co_await p.step("cluster loops end", p.cluster->stop());
    }
    if (p.rpc_server) {
        co_await p.step("RPC is closed", p.rpc_server->stop());
    }
    if (p.consensus) {
        co_await p.stop_component("consensus stops", p.consensus->stop());
    }
    if (p.tracker) {
        co_await p.stop_component("the pin tracker stops", p.tracker->stop());
    }
    if (p.monitor) {
        co_await p.stop_component("the monitor stops", p.monitor->stop());
    }
    if (p.node) {
        co_await p.stop_component("the IPFS node stops", p.node->stop());
    }
    if (p.daemon) {
        co_await p.stop_component("the IPFS connector stops", p.daemon->stop());
    }
    if (p.public_network) {
        co_await p.stop_component("the public network is closed", p.public_network->stop());
    }
    if (p.bitswap) {
        co_await p.stop_component("bitswap stops", p.bitswap->stop());
    }
    if (p.blocks) {
        co_await p.stop_component("the block store is closed", p.blocks->close());
    }
    if (p.block_rows) {
        co_await p.step("the block index is flushed", p.block_rows->close());
    }
    if (p.store) {
        co_await p.step("the database is flushed", p.store->close());
    }
    if (p.host) {
        co_await p.step("the network is closed", p.host->close());
    }
    if (p.stop_failure) co_return fail(*p.stop_failure);
    co_return ok();
}

}  // namespace ipfscluster::service
