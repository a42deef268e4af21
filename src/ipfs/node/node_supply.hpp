#pragma once
#include "bitswap/block_supply.hpp"
#include "blockstore/block_store.hpp"

namespace ipfscluster::node {

/// What the node's block store serves to other peers. Owned by main beside the store; one strand.
class NodeSupply final : public bitswap::BlockSupply {
 public:
    explicit NodeSupply(blockstore::BlockStore& blocks) : blocks_(blocks) {}
    Result<std::optional<std::uint32_t>> size(const Cid& cid) override {
        return blocks_.size(cid.multihash());
    }
    Async<std::optional<Bytes>> get(Cid cid) override {
        co_return co_await blocks_.get(Bytes(cid.multihash()));
    }

 private:
    blockstore::BlockStore& blocks_;
};

}  // namespace ipfscluster::node
