#pragma once
#include <memory>

#include "net/content_routing.hpp"
#include "net/host.hpp"

namespace ipfscluster::net {

/// Streams to one peer that we opened or are opening at a time; further opens wait. A connection
/// that carries more than 4096 streams breaks.
inline constexpr std::size_t kOutboundStreamsPerPeerMax = 512;
/// Inbound streams of one protocol that may wait for their handler; further ones are reset.
inline constexpr std::uint32_t kInboundStreamsWaitingMax = 4096;

/// The gossip mesh, with the defaults of the Go peers.
struct GossipOptions {
    /// Multiplies the degrees 6, 5, 12, 4, 2, 6 of the specification; 0: no gossip is spoken.
    std::uint32_t d_factor = 4;
    Duration heartbeat = std::chrono::seconds(10);
    std::uint32_t history_length = 6;
    std::uint32_t history_gossip = 2;
    Duration duplicate_cache = std::chrono::minutes(30);
    std::uint32_t message_max = 1024 * 1024;  ///< bytes
    bool flood_publish = false;
    bool peer_exchange = true;  ///< off for followers
};

/// The routing table.
struct RoutingOptions {
    /// When the queries of others are answered.
    enum class Mode : std::uint32_t { always = 0, never = 1, when_reachable = 2 };

    std::string protocol = "/ipfs/lan/kad/1.0.0";
    Mode mode = Mode::always;
    /// Keys of which the provider records of others are kept; 0: provider records are not spoken.
    std::uint32_t provider_keys_max = 0;
};

/// How peers find and reach each other beyond plain dialing. Zero and false: off.
struct ReachOptions {
    /// The local network is asked for peers this often; who shares our secret (or, without one,
    /// whoever answers) is connected and remembered.
    Duration mdns_interval{};
    /// Others are first asked after this whether they can dial us; we do it for them.
    Duration autonat_delay{};
    /// Dials and listens through relays; reserves a place at some while others cannot dial us.
    bool relay_client = false;
    bool relay_server = false;   ///< for others, while they can dial us
    bool hole_punching = false;  ///< relayed connections become direct ones
    /// Addresses of private networks count as reachable for others.
    bool private_addresses = false;
};

/// Beyond `high_water` connected peers, those without streams and then the oldest are disconnected
/// until `low_water` are left, none of them younger than `grace`. 0: no limit.
struct ConnectionBounds {
    std::size_t high_water = 0;
    std::size_t low_water = 0;
    Duration grace = std::chrono::seconds(20);
};
/// Pause between two such rounds.
inline constexpr std::chrono::seconds kTrimPause{10};
/// Discovered peers that are dialed at a time; further ones wait for a later announcement.
inline constexpr std::size_t kDiscoveryDialsMax = 16;
inline constexpr std::chrono::seconds kDiscoveryDialLimit{5};
/// Discovered peers remembered because they could not be connected.
inline constexpr std::size_t kDiscoveryPausesMax = 1024;
inline constexpr std::chrono::seconds kDiscoveryPauseMin{10};
inline constexpr std::chrono::hours kDiscoveryPauseMax{1};

/// Whether others can dial us, as far as they have said.
enum class Reachability { unknown, reachable, unreachable };

struct BridgeHostOptions {
    Bytes private_key;  ///< libp2p PrivateKey protobuf, Ed25519 or RSA
    Bytes secret;       ///< empty, or the 32 bytes of the cluster secret
    /// TCP, and with `quic` and without a secret also /udp/<port>/quic-v1; another QUIC address is
    /// skipped with a warning.
    std::vector<Multiaddr> listen;
    /// For protocols that need no difference between a stream that was given up and one that ended:
    /// the library ends both alike over QUIC.
    bool quic = false;
    std::vector<Multiaddr> announce;  ///< told to others instead of the listen addresses
    /// Addresses, or masks (/ip4/10.0.0.0/ipcidr/8), that are never told to others.
    std::vector<Multiaddr> no_announce;
    std::string agent_version = "ipfs-cluster";
    std::string protocol_version;
    /// Limit of one connection attempt with its handshakes.
    Duration handshake_timeout = std::chrono::seconds(3);
    std::uint32_t connections_max = 0;  ///< refused beyond; 0: no limit
    ConnectionBounds bounds;
    /// Connections without a stream are closed after this; zero: they are kept.
    Duration idle_timeout{};
    GossipOptions gossip;
    RoutingOptions routing;
    ReachOptions reach;
};

/// The Host over libp2p. Made by `start`; destroy it, and its streams, before the io_context. Its
/// destructor stops the network threads if `close` was not awaited, which blocks for up to some
/// seconds.
class BridgeHost final : public Host, public ContentRouting {
 public:
    /// Starts the network and listens. An address that cannot be listened on is logged; it is an
    /// error when none of them can. `invalid` names a bad option.
    static Async<std::unique_ptr<BridgeHost>> start(World& world, BridgeHostOptions options);
    ~BridgeHost() override;

    const PeerId& id() const override;
    std::vector<Multiaddr> addresses() const override;
    Async<> connect(PeerId peer, std::vector<Multiaddr> addresses, Duration limit) override;
    void disconnect(const PeerId& peer) override;
    bool connected(const PeerId& peer) const override;
    std::vector<PeerId> connected_peers() const override;
    void add_addresses(const PeerId& peer, const std::vector<Multiaddr>& addresses) override;
    void keep_addresses(const PeerId& peer, bool keep) override;
    std::vector<Multiaddr> known_addresses(const PeerId& peer) const override;
    std::vector<PeerId> known_peers() const override;
    std::vector<PeerId> kept_peers() const override;
    Async<std::vector<Multiaddr>> find_peer(PeerId peer, Duration limit) override;
    Async<StreamPtr> open(PeerId peer, std::vector<std::string> protocols, Duration limit) override;
    void handle(const std::string& protocol, StreamHandler handler) override;
    void subscribe(const std::string& topic, TopicHandler handler) override;
    void unsubscribe(const std::string& topic) override;
    void set_topic_validator(const std::string& topic, TopicValidator validator) override;
    Async<> publish(std::string topic, Bytes data) override;
    std::shared_ptr<void> on_connection(std::function<void(ConnectionEvent)> listener) override;
    void on_failure(std::function<void(Error)> listener) override;
    std::map<std::string, BandwidthTotals> bandwidth() const override;
    Async<> close() override;

    Async<std::size_t> provide(Bytes key, Duration limit) override;
    Async<std::size_t> find_providers(Bytes key, std::size_t most, Duration limit,
                                      ProviderHandler found) override;

    Reachability reachability() const;
    /// Inbound streams that were reset because their handler was too slow to take them.
    std::uint64_t streams_refused() const;

 private:
    struct Core;
    explicit BridgeHost(std::shared_ptr<Core> core);
    std::shared_ptr<Core> core_;
};

}  // namespace ipfscluster::net
