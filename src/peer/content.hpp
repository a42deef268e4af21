#pragma once
#include <memory>

#include "bitswap/bitswap.hpp"
#include "bitswap/multi_fetcher.hpp"
#include "ipfs/node/embedded_node.hpp"
#include "ipfs/node/node_supply.hpp"
#include "ipfs/pubnet/public_network.hpp"
#include "peer/shutdown.hpp"
#include "state/state.hpp"

namespace ipfscluster::peer {

/// What the content of a peer stands on; all outlive it.
struct ContentParts {
    World& world;
    net::Host& host;
    storage::Store& store;
    state::State& state;  ///< over `store`; a collection keeps what is pinned or kept there
    blockstore::BlockStore& blocks;
    storage::Store& rows;                             ///< the same store as the block index
    node::NodeSupply& supply;                         ///< of `blocks`
    pubnet::PublicNetwork* public_network = nullptr;  ///< null: blocks come from the cluster only
};

struct ContentOptions {
    node::NodeOptions node;
    bool rows_lost = false;  ///< as in node::EmbeddedNodeConfig
};

/// The embedded node with the networks it fetches blocks from. Made by main after the stores it
/// uses, used by Peer in place of a daemon; one strand.
class Content {
 public:
    Content(ContentParts parts, ContentOptions options);

    node::EmbeddedNode& node() { return *node_; }
    /// Others may fetch from here. The node itself is started and stopped as any IPFS connector.
    void start() { bitswap_.start(); }
    /// After the node.
    asio::awaitable<void> stop(Shutdown* shutdown);

 private:
    ContentParts parts_;
    bitswap::Bitswap bitswap_;
    std::unique_ptr<bitswap::MultiFetcher> both_networks_;
    std::unique_ptr<node::EmbeddedNode> node_;
};

}  // namespace ipfscluster::peer
