#pragma once
#include <string>

#include "bitswap/fetcher.hpp"
#include "blockstore/block_store.hpp"
#include "blockstore/collector.hpp"
#include "blockstore/lease_table.hpp"
#include "blockstore/pin_table.hpp"
#include "ipfs/node/removal_watch.hpp"
#include "runtime/world.hpp"

namespace ipfscluster::node {

/// Limits and times of the embedded node.
struct NodeOptions {
    std::string peer_name;  ///< for error texts
    /// A pin that has not got a block for this long has failed.
    Duration pin_timeout = std::chrono::minutes(2);
    /// One block asked for by a reader.
    Duration request_timeout = std::chrono::minutes(1);
    /// What an add or import has stored is kept this long for the pin that is to follow.
    Duration gc_lease = std::chrono::hours(1);
    /// A running add or import renews its lease in time; after a crash it protects this long.
    Duration session_lease = std::chrono::minutes(10);
    bool public_network = false;
};

/// What the parts of the node share. All outlive the parts; one strand.
struct NodeParts {
    World& world;
    blockstore::BlockStore& blocks;
    blockstore::PinTable& pins;
    blockstore::LeaseTable& leases;
    blockstore::Collector& collector;
    RemovalWatch& removals;
    bitswap::Fetcher* fetcher;  ///< null: no network at all
    const NodeOptions& options;
};

/// "looked in this peer's block store and asked …; the public network is off".
std::string where_looked(const NodeOptions& options, const bitswap::FetchSession* session);

}  // namespace ipfscluster::node
