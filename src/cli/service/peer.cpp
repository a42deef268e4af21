#include "cli/service/peer.hpp"

#include <filesystem>
#include <set>

#include "base/log.hpp"
#include "cli/service/options.hpp"
#include "cli/service/peer_consensus.hpp"
#include "cli/service/peer_parts.hpp"
#include "cli/service/provided_keys.hpp"
#include "cli/service/supervisor.hpp"
#include "consensus/raft/loss.hpp"
#include "consensus/raft/raft_data.hpp"
#include "informer/informers.hpp"

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
    co_return ok();
}

Async<> Peer::Parts::open_ipfs() {
    if (!config.embedded.enabled) co_return co_await open_daemon();
    co_return co_await open_blocks();
}

Async<> Peer::Parts::open_daemon() {
    auto options = ipfshttp_options(config);
    options.client.on_id = [this](const IpfsId& id) {
        if (core) core->tracker().set_identity({config.cluster.peername, id});
    };
    options.trigger_informers = [this] {
        if (core && core->ready() && !sending_metrics)
            sending_metrics = core->tasks().spawn(send_metrics());
    };
    ICL_CO_TRY(daemon, ipfshttp::HttpConnector::make(world, std::move(options)));
    ipfs = daemon.get();
    co_return ok();
}

asio::awaitable<void> Peer::Parts::send_metrics() {
    auto sent = co_await core->cluster().send_metrics();
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
    if (config.embedded.network == "public") {
        ICL_CO_TRY(co_await open_public_network());
    }
    content = std::make_unique<peer::Content>(
        peer::ContentParts{.world = world,
                           .host = *host,
                           .store = *store,
                           .state = *state,
                           .blocks = *blocks,
                           .rows = *block_rows,
                           .supply = *supply,
                           .public_network = public_network.get()},
        peer::ContentOptions{.node = node_options(config), .rows_lost = blocks->rebuilt()});
    ipfs = &content->node();
    co_return ok();
}

Async<> Peer::Parts::open_public_network() {
    auto opened = co_await pubnet::PublicNetwork::start(
        world, public_network_options(config, identity), *supply);
    if (!opened) co_return fail(opened.error().in("ipfs_connector.embedded.network is \"public\""));
    public_network = std::move(opened).value();
    public_network->host().on_failure(
        [this](Error why) { end(why.in("the public network has failed")); });
    co_return ok();
}

peer::Informers Peer::Parts::make_informers(component::IpfsConnector& of,
                                            component::PinTracker& tracker) {
    using namespace informer;
    peer::Informers informers;
    if (config.disk.enabled)
        informers.push_back(std::make_unique<DiskInformer>(of,
                                                           config.disk.metric_type == "reposize"
                                                               ? DiskInformer::Type::reposize
                                                               : DiskInformer::Type::freespace,
                                                           config.disk.metric_ttl));
    if (config.tags.enabled)
        informers.push_back(
            std::make_unique<TagsInformer>(config.tags.tags, config.tags.metric_ttl));
    if (config.pinqueue.enabled)
        informers.push_back(std::make_unique<PinQueueInformer>(
            tracker, config.pinqueue.weight_bucket_size, config.pinqueue.metric_ttl));
    if (config.numpin.enabled)
        informers.push_back(std::make_unique<NumPinInformer>(of, config.numpin.metric_ttl));
    return informers;
}

peer::MakeConsensus Peer::Parts::make_consensus() {
    auto agreement = raft_options(config, !bootstrap.empty());
    agreement.remembered = memory.known().members;
    agreement.joining = memory.known().joining;
    agreement.found_alone = found_alone;
    agreement.floor = std::make_shared<raft::DiskFloorFile>(raft::floor_path(config.raft));
    return [this, agreement](const peer::PeerParts& on, component::PeerMonitor&) {
        auto made =
            std::make_unique<raft::RaftConsensus>(on.world, on.host, on.store, on.state, agreement);
        raft = made.get();
        return made;
    };
}

void Peer::Parts::make_core() {
    peer::PeerOptions options{
        .consensus = make_consensus(),
        .monitor = monitor_options(config),
        .tracker = tracker_options(config),
        .cluster = cluster_options(config),
        .allocate_by = config.allocator.allocate_by,
        .join = {.bootstrap = bootstrap,
                 .peer_addresses = config.cluster.peer_addresses,
                 .dial_timeout = config.cluster.dial_peer_timeout},
        .informers = [this](auto& of, auto& tracker) { return make_informers(of, tracker); },
        .on_ready = [this] { on_ready(); }};
    core = std::make_unique<peer::Peer>(peer::PeerParts{.world = world,
                                                        .host = *host,
                                                        .store = *store,
                                                        .state = *state,
                                                        .ipfs = *ipfs,
                                                        .content = content.get(),
                                                        .peerstore = peerstore},
                                        std::move(options));
    if (failed_early) core->end(*failed_early);
}

Async<> Peer::Parts::start_core() {
    ICL_CO_TRY(co_await core->learn_addresses());
    if (public_network && config.embedded.provide != "off")
        public_network->start_providing(
            provided_keys(config.embedded.provide, content->node(), *blocks));
    auto started = co_await core->start();
    if (!started) loss = raft->loss();
    co_return started;
}

void Peer::Parts::end(Error why) {
    if (core)
        core->end(std::move(why));
    else if (!failed_early)
        failed_early = std::move(why);
}

void Peer::Parts::on_ready() {
    notify_supervisor("READY=1");
    if (daemon && config.ipfshttp.connect_swarms_delay.count() > 0)
        core->tasks().spawn(connect_swarms());
}

/// Connects the daemon to those of the other members, once, so that they find each other's blocks.
asio::awaitable<void> Peer::Parts::connect_swarms() {
    auto slept = co_await world.sleep_for(config.ipfshttp.connect_swarms_delay);
    if (!slept) co_return;
    auto members = core->cluster().peers();
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

Async<> Peer::Parts::start_apis() {
    if (config.restapi.enabled) {
        ICL_CO_TRY(access_log, AccessLog::open(config.restapi.http_log_file));
        rest = std::make_unique<rest::RestApi>(
            world, core->cluster(), config.restapi,
            [log = access_log](std::string_view line) { log->write(line); });
        ICL_CO_TRY(co_await rest->start());
        for (const auto& address : rest->addresses())
            logger("restapi")->info(
                "RESTAPI (HTTP{}): {}",
                config.restapi.basic_auth_credentials.empty() ? "" : " - authenticated",
                address.to_string());
    }
    if (content && !config.embedded.api_listen_multiaddress.empty()) {
        ipfs_rpc::RpcListenerConfig listener;
        listener.server.name = "ipfsnode";
        listener.server.listen = config.embedded.api_listen_multiaddress;
        listener.repo_path = config.embedded.folder;
        node_api = std::make_unique<ipfs_rpc::RpcListener>(content->node(), std::move(listener));
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
    ICL_CO_TRY(proxy, ipfsproxy::IpfsProxy::make(
                          world, core->cluster(), config.ipfsproxy, std::move(before),
                          [log](std::string_view line) { log->write(line); }));
    ICL_CO_TRY(co_await proxy->start());
    for (const auto& address : proxy->addresses())
        logger("ipfsproxy")->info("IPFS Proxy: {} -> {}", address.to_string(), proxy->node());
    co_return ok();
}

Peer::Peer(World& world, config::Config config, KeyPair identity, StartWish wish)
    : parts_(std::make_unique<Parts>(world, std::move(config), std::move(identity),
                                     std::move(wish))) {}

Peer::~Peer() = default;

Async<> Peer::Parts::start_all() {
    ICL_CO_TRY(co_await start_storage());
    ICL_CO_TRY(co_await start_network());
    ICL_CO_TRY(co_await open_ipfs());
    make_core();
    ICL_CO_TRY(co_await start_core());
    ICL_CO_TRY(co_await start_apis());
    co_return ok();
}

std::vector<PeerId> Peer::Parts::other_members() const {
    std::set<PeerId> others(memory.known().members.begin(), memory.known().members.end());
    if (raft)
        for (const auto& [id, record] : raft->log().nodes())
            if (!record.removed) others.insert(record.peer);
    others.erase(identity.id);
    return {others.begin(), others.end()};
}

/// Whose votes count: learners do not make a quorum. Without a log that says it, all are taken for
/// voters.
std::vector<PeerId> Peer::Parts::other_voters() const {
    std::set<PeerId> others;
    if (raft) {
        const auto& log = raft->log();
        const auto& nodes = log.nodes();
        for (const auto& member : log.members())
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
    return parts_->core && parts_->core->membership_ended();
}

asio::awaitable<Error> Peer::wait_ended() {
    return parts_->core->wait_ended();
}

Async<> Peer::stop(bool leave) {
    auto& p = *parts_;
    peer::Shutdown shutdown(p.world);
    if (p.core) {
        co_await p.core->stop_tasks(&shutdown);
    }
    if (p.rest) {
        co_await shutdown.step("the REST API is closed", p.drain(*p.rest));
    }
    if (p.proxy) {
        co_await shutdown.step("the IPFS proxy is closed", p.drain(*p.proxy));
    }
    if (p.node_api) {
        co_await shutdown.step("the node's API is closed", p.drain(*p.node_api));
    }
    if (p.core) {
        co_await p.core->stop(&shutdown, &p.hurry, leave);
    }
    if (p.blocks) {
        co_await shutdown.stop_component("the block store is closed", p.blocks->close());
    }
    if (p.block_rows) {
        co_await shutdown.step("the block index is flushed", p.block_rows->close());
    }
    if (p.store) {
        co_await shutdown.step("the database is flushed", p.store->close());
    }
    if (p.host) {
        co_await shutdown.step("the network is closed", p.host->close());
    }
    co_return shutdown.result();
}

}  // namespace ipfscluster::service
