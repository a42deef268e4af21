#include "cli/service/options.hpp"

#include <filesystem>

#include "cli/service/peer_consensus.hpp"

namespace ipfscluster::service {

namespace {

/// Others are asked this long after the start whether they can dial us.
constexpr std::chrono::seconds kAutonatDelay{15};

/// A peer that listens on loopback alone has no business on the local network.
bool only_loopback(const std::vector<Multiaddr>& addresses) {
    for (const auto& address : addresses) {
        const auto ip4 = address.value_of("ip4"), ip6 = address.value_of("ip6");
        if (!(ip4 && ip4->starts_with("127.")) && !(ip6 && *ip6 == "::1")) return false;
    }
    return true;
}

}  // namespace

net::BridgeHostOptions host_options(const config::Config& config, const KeyPair& identity) {
    const auto& c = config.cluster;
    net::BridgeHostOptions o;
    o.private_key = identity.private_key;
    o.secret = c.secret_bytes();
    o.listen = c.listen_multiaddress;
    // The default file lists this one, which no Go peer ever listened on: not worth a warning.
    const auto usual = Multiaddr::parse("/ip4/0.0.0.0/udp/9096/quic").value();
    std::erase(o.listen, usual);
    o.announce = c.announce_multiaddress;
    o.no_announce = c.no_announce_multiaddress;
    o.agent_version = "ipfs-cluster-cpp@" + std::string(kClusterVersion);
    o.handshake_timeout = c.dial_peer_timeout;
    o.bounds = {.high_water = static_cast<std::size_t>(c.connection_manager.high_water),
                .low_water = static_cast<std::size_t>(c.connection_manager.low_water),
                .grace = c.connection_manager.grace_period};
    // Room for those too young to be closed.
    o.connections_max = static_cast<std::uint32_t>(2 * c.connection_manager.high_water);
    o.gossip.d_factor = static_cast<std::uint32_t>(c.pubsub.d_factor);
    o.gossip.heartbeat = c.pubsub.heartbeat_interval;
    o.gossip.history_length = static_cast<std::uint32_t>(c.pubsub.history_length);
    o.gossip.history_gossip = static_cast<std::uint32_t>(c.pubsub.history_gossip);
    o.gossip.duplicate_cache = c.pubsub.seen_messages_ttl;
    o.gossip.flood_publish = c.pubsub.flood_publish;
    o.gossip.peer_exchange = !c.follower_mode;
    if (!only_loopback(o.listen))
        o.reach.mdns_interval = std::max<Duration>(c.mdns_interval, Duration::zero());
    // As the Go peer: always there, and without effect where nobody has an address on the internet.
    o.reach.autonat_delay = kAutonatDelay;
    o.reach.relay_client = true;
    o.reach.hole_punching = true;
    o.reach.relay_server = c.enable_relay_hop;
    return o;
}

pubnet::PublicNetworkOptions public_network_options(const config::Config& config,
                                                    const KeyPair& identity) {
    const auto& c = config.embedded;
    pubnet::PublicNetworkOptions o;
    o.private_key = pubnet::derive_identity(identity).private_key;
    o.listen = c.public_listen_multiaddress;
    o.announce = c.public_announce_multiaddress;
    o.bootstrap = c.bootstrap;
    o.agent_version = "ipfs-cluster-cpp@" + std::string(kClusterVersion);
    o.reprovide_interval = c.reprovide_interval;
    return o;
}

monitor::MonitorOptions monitor_options(const config::Config& config) {
    return {.check_interval = config.monitor.check_interval,
            .usual_ttl = 2 * config.cluster.monitor_ping_interval};
}

cluster::ClusterOptions cluster_options(const config::Config& config) {
    const auto& c = config.cluster;
    cluster::ClusterOptions o;
    o.peername = c.peername;
    o.defaults = {static_cast<int>(c.replication_factor_min),
                  static_cast<int>(c.replication_factor_max)};
    o.ping_interval = c.monitor_ping_interval;
    o.state_sync_interval = c.state_sync_interval;
    o.pin_recover_interval = c.pin_recover_interval;
    o.peer_watch_interval = c.peer_watch_interval;
    o.dial_timeout = c.dial_peer_timeout;
    o.disable_repinning = c.disable_repinning;
    o.repin_grace = c.repin_grace;
    o.repin_rate = static_cast<std::size_t>(c.repin_rate);
    o.follower = c.follower_mode;
    o.fetches_outside = !config.embedded.enabled || config.embedded.network == "public";
    return o;
}

tracker::TrackerOptions tracker_options(const config::Config& config) {
    const auto& c = config.tracker;
    tracker::TrackerOptions o;
    o.concurrent_pins = static_cast<int>(c.concurrent_pins);
    o.priority_pin_max_age = c.priority_pin_max_age;
    o.priority_pin_max_retries = static_cast<int>(c.priority_pin_max_retries);
    o.max_pin_queue_size = c.max_pin_queue_size;
    o.temporary_folder = data_folder(config);
    return o;
}

node::NodeOptions node_options(const config::Config& config) {
    node::NodeOptions o;
    o.peer_name = config.cluster.peername;
    o.pin_timeout = config.embedded.pin_timeout;
    o.public_network = config.embedded.network == "public";
    o.gc_lease = config.embedded.gc_lease;
    return o;
}

ipfshttp::HttpConnectorOptions ipfshttp_options(const config::Config& config) {
    const auto& c = config.ipfshttp;
    ipfshttp::HttpConnectorOptions o;
    o.node = c.node_multiaddress;
    o.request_timeout = c.ipfs_request_timeout;
    o.pin_timeout = c.pin_timeout;
    o.unpin_timeout = c.unpin_timeout;
    o.repogc_timeout = c.repogc_timeout;
    o.unpin_disable = c.unpin_disable;
    o.concurrent_pins = static_cast<int>(config.tracker.concurrent_pins);
    o.informer_trigger_interval = c.informer_trigger_interval;
    o.client.self = config.cluster.peername;
    return o;
}

blockstore::SegmentStoreOptions segment_options(const config::Config& config) {
    const auto& c = config.embedded;
    std::error_code ec;
    const auto disk = std::filesystem::space(c.folder, ec);
    const std::uint64_t disk_bytes = ec ? 0 : disk.capacity;
    blockstore::SegmentStoreOptions o;
    o.folder = c.folder + "/segments";
    o.peer_name = config.cluster.peername;
    if (c.storage_max.unit != config::SizeSpec::Unit::automatic)
        o.storage_max = c.storage_max.resolve(disk_bytes, 0, 90);
    if (c.reserve.unit != config::SizeSpec::Unit::automatic)
        o.reserve = c.reserve.resolve(disk_bytes, 0, 2);
    return o;
}

}  // namespace ipfscluster::service
