#pragma once
#include <string>

#include "blockstore/block_store.hpp"
#include "component/ipfs_connector.hpp"
#include "ipfs/pubnet/reprovider.hpp"

namespace ipfscluster::service {

/// What the public network is told in each round: with "roots" every pin of the node, with "all"
/// every block. Both arguments outlive the source.
pubnet::KeySource provided_keys(const std::string& what, component::IpfsConnector& node,
                                blockstore::BlockStore& blocks);

}  // namespace ipfscluster::service
