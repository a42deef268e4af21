#pragma once
#include <memory>

#include "bitswap/bitswap.hpp"
#include "ipfs/pubnet/provider_fetcher.hpp"
#include "ipfs/pubnet/reprovider.hpp"
#include "multi/key_pair.hpp"
#include "net/bridge_host.hpp"

namespace ipfscluster::pubnet {

/// Fewer connected peers than this, and the bootstrap peers are dialed.
inline constexpr std::size_t kBootstrapBelow = 4;
inline constexpr std::chrono::seconds kBootstrapInterval{30};
/// While not one peer is connected.
inline constexpr std::chrono::seconds kBootstrapRetry{5};
inline constexpr std::chrono::seconds kBootstrapDialLimit{15};
/// Bounds of the host; the public network would connect with everybody.
inline constexpr std::size_t kConnectionsHigh = 128;
inline constexpr std::size_t kConnectionsLow = 64;
inline constexpr std::chrono::seconds kConnectionIdleMax{60};
/// Provider records kept for others, while they can reach us.
inline constexpr std::uint32_t kProviderKeysMax = 16 * 1024;

struct PublicNetworkOptions {
    Bytes private_key;  ///< libp2p PrivateKey protobuf
    std::vector<Multiaddr> listen;
    std::vector<Multiaddr> announce;
    std::vector<Multiaddr> bootstrap;  ///< each with /p2p/<id>
    std::string agent_version;
    Duration reprovide_interval{};
    /// Addresses of private networks count as reachable.
    bool private_addresses = false;
};

/// The identity on the public network: another one than in the cluster, so that the two cannot be
/// linked, made from the peer's key, so that it stays the same.
/// HMAC-SHA-256(key: the private key's protobuf, "ipfs-cluster public network 1") is the seed of an
/// Ed25519 key.
KeyPair derive_identity(const KeyPair& cluster_identity);

/// The embedded node's place on the public IPFS network: a host of its own without the cluster's
/// secret, bitswap over it, look-ups in the public hash table. Owned by main; `stop` before it is
/// destroyed; one strand.
class PublicNetwork {
 public:
    /// Listens and begins to bootstrap; does not wait for it. `supply` outlives it.
    static Async<std::unique_ptr<PublicNetwork>> start(World& world, PublicNetworkOptions options,
                                                       bitswap::BlockSupply& supply);
    ~PublicNetwork();

    /// From now on the network is told what we have.
    void start_providing(KeySource keys);
    /// Something new is here that is to be told. Nothing before `start_providing`.
    void provide(const Cid& cid);
    Async<> stop();

    net::BridgeHost& host() { return *host_; }
    bitswap::Fetcher& fetcher() { return *fetcher_; }
    /// "12 peers connected, others can reach us", for error texts.
    std::string state() const;

 private:
    PublicNetwork(World& world, PublicNetworkOptions options);
    asio::awaitable<void> bootstrap_loop();
    Async<> bootstrap();

    World& world_;
    PublicNetworkOptions options_;
    TaskGroup tasks_;
    std::unique_ptr<net::BridgeHost> host_;
    std::unique_ptr<bitswap::Bitswap> bitswap_;
    std::unique_ptr<ProviderFetcher> fetcher_;
    std::unique_ptr<Reprovider> reprovider_;
    std::string bootstrap_error_;  ///< why the last round reached nobody; empty when it did
};

}  // namespace ipfscluster::pubnet
