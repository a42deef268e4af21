#pragma once
#include <map>

#include "dag/block_reader.hpp"
#include "ipfs/node/node_parts.hpp"
#include "runtime/task_group.hpp"

namespace ipfscluster::node {

/// Blocks fetched ahead by one reader at once.
inline constexpr std::size_t kPrefetchMax = 16;

/// Reads blocks for one request: from the store, else from other peers (what comes is stored as
/// well, unless the disk is full). Owned by the request through a shared pointer, because
/// prefetches end after it; one strand.
class NodeBlocks final : public dag::BlockReader, public std::enable_shared_from_this<NodeBlocks> {
 public:
    /// `tasks` runs the prefetches and outlives them.
    NodeBlocks(const NodeParts& parts, TaskGroup& tasks) : parts_(parts), tasks_(tasks) {}

    Async<Bytes> read(Cid cid) override;
    void prefetch(const std::vector<Cid>& soon) override;

 private:
    Async<Bytes> fetch(Cid cid);
    static asio::awaitable<void> fetch_ahead(std::shared_ptr<NodeBlocks> self, Cid cid);

    NodeParts parts_;
    TaskGroup& tasks_;
    std::unique_ptr<bitswap::FetchSession> session_;
    std::map<Cid, std::shared_ptr<Signal>> coming_;
};

}  // namespace ipfscluster::node
