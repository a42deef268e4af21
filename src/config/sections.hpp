#pragma once
#include <chrono>

#include "config/fields.hpp"

/// One plain struct per component of service.json. The initialisers are what `init` writes; what an
/// absent key does is said in describe_*.cpp. `enabled` tells whether the component is in the file.
namespace ipfscluster::config {

using namespace std::chrono_literals;

struct ConnectionManagerConfig {
    std::int64_t high_water = 400;
    std::int64_t low_water = 100;
    Duration grace_period = 2min;
};

struct ResourceManagerConfig {
    bool enabled = true;
    std::uint64_t memory_limit_bytes = 0;
    std::uint64_t file_descriptors_limit = 0;
};

struct PubsubConfig {
    Duration seen_messages_ttl = 30min;
    Duration heartbeat_interval = 10s;
    std::int64_t d_factor = 4;
    std::int64_t history_gossip = 2;
    std::int64_t history_length = 6;
    bool flood_publish = false;
};

/// Section `cluster`.
struct ClusterConfig {
    bool enabled = false;
    std::string peername;
    std::string secret;  ///< hex, lower case; empty: no private network
    bool leave_on_shutdown = false;
    Addresses listen_multiaddress;
    Addresses announce_multiaddress;
    Addresses no_announce_multiaddress;
    bool enable_relay_hop = true;
    ConnectionManagerConfig connection_manager;
    ResourceManagerConfig resource_manager;
    PubsubConfig pubsub;
    Duration dial_peer_timeout = 3s;
    Duration state_sync_interval = 5min;
    Duration pin_recover_interval = 12min;
    std::int64_t replication_factor_min = -1;
    std::int64_t replication_factor_max = -1;
    Duration monitor_ping_interval = 15s;
    Duration peer_watch_interval = 5s;
    Duration mdns_interval = 10s;
    bool pin_only_on_trusted_peers = false;
    bool pin_only_on_untrusted_peers = false;
    bool disable_repinning = false;
    Duration repin_grace = 5min;    ///< how long a peer must be gone before its pins move
    std::int64_t repin_rate = 100;  ///< pins moved per second
    bool follower_mode = false;
    std::string peerstore_file = "peerstore";
    Addresses peer_addresses;
    std::string id, private_key;  ///< old files only (identity extraction)

    ClusterConfig();
    /// The secret's 32 bytes; empty without one. Valid after loading.
    Bytes secret_bytes() const;
};

/// `consensus.raft`.
struct RaftConfig {
    bool enabled = false;
    std::string data_folder;  ///< empty: `raft` in the configuration folder
    PeerIds init_peerset;
    Duration wait_for_leader_timeout = 15s;
    Duration network_timeout = 10s;
    std::int64_t commit_retries = 1;
    Duration commit_retry_delay = 200ms;
    std::int64_t backups_rotate = 6;
    std::string datastore_namespace = "/r";
    Duration heartbeat_timeout = 1s;
    Duration election_timeout = 1s;
    Duration commit_timeout = 50ms;
    std::int64_t max_append_entries = 64;
    std::uint64_t trailing_logs = 10240;
    Duration snapshot_interval = 2min;
    std::uint64_t snapshot_threshold = 8192;
    Duration leader_lease_timeout = 500ms;
};

/// `api.restapi` and `api.pinsvcapi`.
struct RestConfig {
    bool enabled = false;
    Addresses http_listen_multiaddress;
    std::string ssl_cert_file, ssl_key_file;  ///< absolute after loading
    Duration read_timeout = 0s;
    Duration read_header_timeout = 5s;
    Duration write_timeout = 0s;
    Duration idle_timeout = 2min;
    std::int64_t max_header_bytes = 4096;
    Addresses libp2p_listen_multiaddress;
    std::string id, private_key;
    StringMap basic_auth_credentials;
    std::string http_log_file;  ///< absolute after loading
    HeaderMap headers;
    Strings cors_allowed_origins{"*"};
    Strings cors_allowed_methods{"GET"};
    Strings cors_allowed_headers;
    Strings cors_exposed_headers{"Content-Type", "X-Stream-Output", "X-Chunked-Output",
                                 "X-Content-Length"};
    bool cors_allow_credentials = true;
    Duration cors_max_age = 0s;

    explicit RestConfig(std::uint16_t port);
};

/// `api.ipfsproxy`.
struct ProxyConfig {
    bool enabled = false;
    Addresses listen_multiaddress;
    Multiaddr node_multiaddress;
    bool node_https = false;
    std::string log_file;  ///< absolute after loading
    Duration read_timeout = 0s;
    Duration read_header_timeout = 5s;
    Duration write_timeout = 0s;
    Duration idle_timeout = 1min;
    std::int64_t max_header_bytes = 4096;
    Strings extract_headers_extra;
    std::string extract_headers_path = "/api/v0/version";
    Duration extract_headers_ttl = 5min;

    ProxyConfig();
};

/// `ipfs_connector.ipfshttp`.
struct IpfsHttpConfig {
    bool enabled = false;
    Multiaddr node_multiaddress;
    Duration connect_swarms_delay = 30s;
    Duration ipfs_request_timeout = 5min;
    Duration pin_timeout = 2min;
    Duration unpin_timeout = 3h;
    Duration repogc_timeout = 24h;
    std::int64_t informer_trigger_interval = 0;
    bool unpin_disable = false;

    IpfsHttpConfig();
};

/// `ipfs_connector.embedded`: the node inside the peer. Ours; the Go programs have no such
/// component.
struct EmbeddedConfig {
    bool enabled = false;
    std::string folder = "blocks";                 ///< absolute after loading
    SizeSpec storage_max = SizeSpec::percent(90);  ///< of the disk, or bytes
    SizeSpec reserve;                              ///< auto: the larger of 1 GiB and 2 %
    std::string network = "off";                   ///< or "public"
    Addresses public_listen_multiaddress;          ///< of the host for the public network
    Addresses public_announce_multiaddress;
    Addresses bootstrap;            ///< of the public network, each with /p2p/<id>
    std::string provide = "roots";  ///< what the public network is told of: roots, all, off
    Duration reprovide_interval = 22h;
    Addresses api_listen_multiaddress;  ///< Kubo-like RPC and gateway; empty: none
    Duration pin_timeout = 2min;        ///< without progress
    Duration gc_lease = 1h;

    EmbeddedConfig();
};

/// `pin_tracker.stateless`.
struct TrackerConfig {
    bool enabled = false;
    std::int64_t max_pin_queue_size = 1'000'000;
    std::int64_t concurrent_pins = 10;
    Duration priority_pin_max_age = 24h;
    std::int64_t priority_pin_max_retries = 5;
};

/// `monitor.pubsubmon`.
struct MonitorConfig {
    bool enabled = false;
    Duration check_interval = 15s;
};

/// `allocator.balanced`.
struct AllocatorConfig {
    bool enabled = false;
    Strings allocate_by{"tag:group", "freespace"};
};

/// `informer.disk`.
struct DiskConfig {
    bool enabled = false;
    Duration metric_ttl = 30s;
    std::string metric_type = "freespace";
};

/// `informer.tags`.
struct TagsConfig {
    bool enabled = false;
    Duration metric_ttl = 30s;
    StringMap tags{{"group", "default"}};
};

/// `informer.pinqueue`.
struct PinQueueConfig {
    bool enabled = false;
    Duration metric_ttl = 30s;
    std::int64_t weight_bucket_size = 100'000;
};

/// `informer.numpin`.
struct NumPinConfig {
    bool enabled = false;
    Duration metric_ttl = 30s;
};

/// `observations.metrics`.
struct MetricsConfig {
    bool enabled = false;
    bool enable_stats = false;
    Multiaddr prometheus_endpoint;
    Duration reporting_interval = 30s;

    MetricsConfig();
};

/// `observations.tracing`.
struct TracingConfig {
    bool enabled = false;
    bool enable_tracing = false;
    Multiaddr jaeger_agent_endpoint;
    double sampling_prob = 0.3;
    std::string service_name = "cluster-daemon";

    TracingConfig();
};

}  // namespace ipfscluster::config
