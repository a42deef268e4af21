#include "ipfs/pubnet/public_network.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <boost/asio/this_coro.hpp>

#include "base/log.hpp"

namespace ipfscluster::pubnet {

namespace {

constexpr std::string_view kIdentityLabel = "ipfs-cluster public network 1";
constexpr std::chrono::seconds kAutonatDelay{15};

net::BridgeHostOptions host_options(const PublicNetworkOptions& options) {
    net::BridgeHostOptions o;
    o.private_key = options.private_key;
    o.listen = options.listen;
    o.quic = true;  // bitswap's messages carry their length
    o.announce = options.announce;
    o.agent_version = options.agent_version;
    o.protocol_version = "ipfs/0.1.0";
    o.handshake_timeout = std::chrono::seconds(10);
    o.connections_max = static_cast<std::uint32_t>(4 * kConnectionsHigh);
    o.bounds = {.high_water = kConnectionsHigh, .low_water = kConnectionsLow};
    o.idle_timeout = kConnectionIdleMax;
    o.gossip.d_factor = 0;
    o.routing = {.protocol = "/ipfs/kad/1.0.0",
                 .mode = net::RoutingOptions::Mode::when_reachable,
                 .provider_keys_max = kProviderKeysMax};
    o.reach = {.autonat_delay = kAutonatDelay,
               .relay_client = true,
               .hole_punching = true,
               .private_addresses = options.private_addresses};
    return o;
}

}  // namespace

KeyPair derive_identity(const KeyPair& cluster_identity) {
    const auto& key = cluster_identity.private_key;
    std::uint8_t seed[32];
    unsigned int size = sizeof seed;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
         reinterpret_cast<const std::uint8_t*>(kIdentityLabel.data()), kIdentityLabel.size(), seed,
         &size);
    auto derived = ed25519_from_seed(BytesView(reinterpret_cast<const char*>(seed), sizeof seed));
    OPENSSL_cleanse(seed, sizeof seed);
    return derived;
}

PublicNetwork::PublicNetwork(World& world, PublicNetworkOptions options)
    : world_(world), options_(std::move(options)), tasks_(world, "pubnet") {}

PublicNetwork::~PublicNetwork() = default;

Async<std::unique_ptr<PublicNetwork>> PublicNetwork::start(World& world,
                                                           PublicNetworkOptions options,
                                                           bitswap::BlockSupply& supply) {
    std::unique_ptr<PublicNetwork> self(new PublicNetwork(world, std::move(options)));
    auto wanted = host_options(self->options_);
    ICL_CO_TRY(self->host_, co_await net::BridgeHost::start(world, std::move(wanted)));
    self->bitswap_ = std::make_unique<bitswap::Bitswap>(world, *self->host_, supply);
    self->bitswap_->start();
    self->fetcher_ =
        std::make_unique<ProviderFetcher>(world, *self->host_, *self->host_, *self->bitswap_);
    self->fetcher_->start();
    for (const auto& address : self->host_->addresses())
        logger("pubnet")->info("public IPFS network, listening: {}", address.to_string());
    self->tasks_.spawn(self->bootstrap_loop());
    co_return std::move(self);
}

void PublicNetwork::start_providing(KeySource keys) {
    reprovider_ =
        std::make_unique<Reprovider>(world_, *host_, std::move(keys), options_.reprovide_interval);
    reprovider_->start();
}

void PublicNetwork::provide(const Cid& cid) {
    if (reprovider_) reprovider_->add(cid);
}

Async<> PublicNetwork::stop() {
    ICL_CO_TRY(co_await tasks_.stop());
    if (reprovider_) {
        ICL_CO_TRY(co_await reprovider_->stop());
    }
    ICL_CO_TRY(co_await fetcher_->stop());
    ICL_CO_TRY(co_await bitswap_->stop());
    co_return co_await host_->close();
}

std::string PublicNetwork::state() const {
    const auto peers = host_->connected_peers().size();
    std::string text = std::to_string(peers) + (peers == 1 ? " peer" : " peers") + " connected";
    switch (host_->reachability()) {
        case net::Reachability::reachable:
            text += ", others can reach us";
            break;
        case net::Reachability::unreachable:
            text += ", others cannot reach us directly";
            break;
        case net::Reachability::unknown:
            break;
    }
    if (peers == 0 && !bootstrap_error_.empty())
        text += ", bootstrapping failed: " + bootstrap_error_;
    return text;
}

asio::awaitable<void> PublicNetwork::bootstrap_loop() {
    co_await asio::this_coro::throw_if_cancelled(false);
    bool told = false;
    while (true) {
        if (host_->connected_peers().size() < kBootstrapBelow) {
            auto done = co_await bootstrap();
            if (!done && done.error().kind == Kind::cancelled) co_return;
            bootstrap_error_ = done ? std::string() : done.error().text;
            if (!done && !told)
                logger("pubnet")->warn(
                    "no bootstrap peer of the public network was reached error=\"{}\"",
                    bootstrap_error_);
            told = !done;
        }
        const bool lonely = host_->connected_peers().empty();
        auto slept = co_await world_.sleep_for(lonely ? kBootstrapRetry : kBootstrapInterval);
        if (!slept) co_return;
    }
}

Async<> PublicNetwork::bootstrap() {
    if (options_.bootstrap.empty())
        co_return fail(Kind::unavailable, "ipfs_connector.embedded.bootstrap is empty");
    std::string reasons;
    bool reached = false;
    // A fair start: every peer of the network begins with another one.
    const auto& list = options_.bootstrap;
    const auto first = world_.random_u64() % list.size();
    for (std::size_t i = 0; i < list.size(); ++i) {
        const auto& address = list[(first + i) % list.size()];
        const auto peer = address.peer_id();
        if (!peer || *peer == host_->id()) continue;
        const std::vector<Multiaddr> at(1, address.without_peer());
        host_->add_addresses(*peer, at);
        auto connected = co_await host_->connect(*peer, at, kBootstrapDialLimit);
        if (connected) {
            reached = true;
            if (host_->connected_peers().size() >= kBootstrapBelow) break;
            continue;
        }
        if (connected.error().kind == Kind::cancelled) co_return fail(connected.error());
        reasons += (reasons.empty() ? "" : "; ") + connected.error().text;
    }
    if (!reached) co_return fail(Kind::unavailable, reasons);
    co_return ok();
}

}  // namespace ipfscluster::pubnet
