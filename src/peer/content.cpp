#include "peer/content.hpp"

#include "tracker/pins_to_hold.hpp"

namespace ipfscluster::peer {

Content::Content(ContentParts parts, ContentOptions options)
    : parts_(parts), bitswap_(parts_.world, parts_.host, parts_.supply) {
    bitswap::Fetcher* fetcher = &bitswap_;
    net::Host* outside = &parts_.host;
    auto* network = parts_.public_network;
    if (network != nullptr) {
        both_networks_ = std::make_unique<bitswap::MultiFetcher>(
            parts_.world, bitswap_, network->fetcher(), [network] { return network->state(); });
        fetcher = both_networks_.get();
        outside = &network->host();
    }
    node_ = std::make_unique<node::EmbeddedNode>(node::EmbeddedNodeConfig{
        .world = parts_.world,
        .blocks = parts_.blocks,
        .rows = parts_.rows,
        .fetcher = fetcher,
        .host = outside,
        .self = outside->id(),
        .options = std::move(options.node),
        .rows_lost = options.rows_lost,
        .wanted = [this] { return tracker::pins_to_hold(parts_.state, parts_.store); },
        .pinned =
            [network](const Cid& cid) {
                if (network != nullptr) network->provide(cid);
            }});
}

asio::awaitable<void> Content::stop(Shutdown* shutdown) {
    if (parts_.public_network != nullptr) {
        co_await shutdown->stop_component("the public network is closed",
                                          parts_.public_network->stop());
    }
    co_await shutdown->stop_component("bitswap stops", bitswap_.stop());
}

}  // namespace ipfscluster::peer
