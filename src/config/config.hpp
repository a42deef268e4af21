#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "config/environment.hpp"
#include "config/sections.hpp"

namespace ipfscluster::config {

inline constexpr std::string_view kConfigFile = "service.json";
/// Largest service.json read.
inline constexpr std::size_t kConfigBytesMax = 16 * 1024 * 1024;

/// The whole of service.json with the environment applied and checked. A plain value; made once at
/// start-up, read-only afterwards.
struct Config {
    std::string folder;  ///< absolute path of the folder that holds service.json
    ClusterConfig cluster;
    RaftConfig raft;
    RestConfig restapi{9094};
    RestConfig pinsvcapi{9097};
    ProxyConfig ipfsproxy;
    IpfsHttpConfig ipfshttp;
    EmbeddedConfig embedded;  ///< exactly one of `ipfshttp` and `embedded` is enabled
    TrackerConfig tracker;
    MonitorConfig monitor;
    AllocatorConfig allocator;
    DiskConfig disk;
    TagsConfig tags;
    PinQueueConfig pinqueue;
    NumPinConfig numpin;
    MetricsConfig metrics;
    TracingConfig tracing;

    // What only a flat file of version 0.0.3 says; empty otherwise.
    Addresses old_peers;      ///< the peerstore's content where there is no peerstore yet
    Addresses old_bootstrap;  ///< members to join when there is no consensus data yet

    /// Where the peerstore lies: `cluster.peerstore_file`, always inside `folder`.
    std::string peerstore_path() const;
    /// Where `members.json` lies.
    std::string remembered_path() const;
};

/// Reads `folder`/service.json, applies the environment, checks everything and makes file names
/// absolute. Plain blocking file access: call it before the io loop runs. `not_found` without the
/// file, `invalid` naming the key or variable, `unsupported` for `source` and for CRDT. Unknown
/// keys and settings without effect become warnings.
Result<Config> load_config(const std::string& folder, const Environment& env, Warnings& warnings);
/// The same for a text at hand; file names stay as they are.
Result<Config> parse_config(std::string_view text, const Environment& env, Warnings& warnings);

/// Which connector `init` writes.
enum class IpfsChoice { kubo, embedded };

struct InitOptions {
    std::string consensus = "raft";  ///< "crdt" is refused by name
    IpfsChoice ipfs = IpfsChoice::embedded;
    std::optional<std::string> custom_secret;  ///< hex; beats CLUSTER_SECRET; "" means none
    std::vector<Multiaddr> peers;  ///< each with /p2p/<id>; their ids become init_peerset
    bool public_network = false;   ///< of the embedded node
    bool random_ports = false;     ///< every listening port replaced by a free one
    Environment env;
    /// Settings to start from instead of our defaults (take_over.hpp).
    std::optional<Config> from;
    bool ipfs_given = true;  ///< false: with `from`, the connector stays as it is
};

/// The text `init` writes: our defaults, a fresh secret, the options, the environment; checked.
/// Only the secret and random ports differ from run to run.
Result<std::string> default_config_json(const InitOptions& options);

/// The configuration as JSON text with every secret replaced; for logs.
std::string display_json(const Config& config);

/// 32 random bytes as hex.
std::string generate_secret();
/// `invalid` unless it is hex for 0 or 32 bytes; gives it in lower case.
Result<std::string> check_secret(std::string_view hex);

/// The default folder: $HOME/.ipfs-cluster, or that of the user's entry when HOME is unset.
std::string default_folder(const Environment& env);

}  // namespace ipfscluster::config
