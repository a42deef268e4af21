#pragma once
#include <memory>

#include "component/ipfs_connector.hpp"
#include "ipfs/node/node_blocks.hpp"
#include "ipfs/node/node_session.hpp"
#include "ipfs/node/pin_calls.hpp"
#include "ipfs/node/reached_blocks.hpp"
#include "net/host.hpp"

namespace ipfscluster::node {

/// What the embedded node is built from. All but `options` outlive it.
struct EmbeddedNodeConfig {
    World& world;
    blockstore::BlockStore& blocks;
    storage::Store& rows;  ///< pins, leases and marks; the same store as the block index
    bitswap::Fetcher* fetcher = nullptr;  ///< null: nothing is fetched
    net::Host* host = nullptr;            ///< for id and swarm; null: alone
    PeerId self;
    NodeOptions options = {};
    /// The rows were lost and are built anew (SegmentStore::rebuilt): nothing is collected for a
    /// while, so that the cluster can pin again what it wants here.
    bool rows_lost = false;
    /// What the cluster wants pinned here, pinned or not: a collection keeps what is held of it. An
    /// add is acknowledged once its pin is agreed on, and that may wait for its turn for longer
    /// than any lease. Null: nobody else wants anything.
    std::function<SourcePtr<Pin>()> wanted = {};
    /// A pin has become complete and durable; null: nobody wants to know.
    std::function<void(const Cid&)> pinned = {};
};

/// How long a node that lost its pins keeps every block.
inline constexpr std::chrono::hours kRowsLostLease{1};

/// The IPFS node inside the peer: blocks in its own store, pins in its own rows, missing blocks
/// over the cluster's own host. Owned by main; one strand. `start` before, `stop` after use.
class EmbeddedNode final : public component::IpfsConnector {
 public:
    explicit EmbeddedNode(EmbeddedNodeConfig config);
    ~EmbeddedNode() override;

    Async<> start() override;
    Async<> stop() override;
    bool ready() override { return started_; }

    Async<IpfsId> id() override;
    Async<> pin(component::PinRequest request, component::ProgressHandler progress) override;
    Async<> unpin(Cid cid) override;
    Async<IpfsPinStatus> pin_status(Pin pin) override;
    Async<bool> hold_if_whole(Pin pin) override;
    SourcePtr<IpfsPinInfo> pin_ls(std::vector<std::string> types) override;
    Async<RepoStat> repo_stat() override;
    SourcePtr<RepoGcKey> repo_gc() override;
    Async<> swarm_connect(std::vector<Multiaddr> addresses) override;
    Async<std::vector<PeerId>> swarm_peers() override;
    Async<Cid> resolve(std::string path) override;
    Async<Bytes> block_get(Cid cid) override;
    Async<std::unique_ptr<component::BlockSession>> open_blocks() override;

    Async<component::FileInfo> stat(std::string path) override;
    Async<SourcePtr<Bytes>> cat(Cid file, std::uint64_t offset, std::uint64_t length) override;
    Async<SourcePtr<component::DirectoryEntry>> ls(Cid directory) override;
    Async<std::string> read_link(Cid cid) override;

    // Beyond what a cluster asks of its daemon, for the node's own RPC API.

    World& world() { return config_.world; }
    blockstore::BlockStore& blocks() { return config_.blocks; }
    const blockstore::PinTable& pins() const { return pins_; }
    net::Host* host() { return config_.host; }
    const PeerId& self() const { return config_.self; }
    /// Reads blocks for one request; `offline`: only those held.
    std::shared_ptr<NodeBlocks> reader(bool offline = false);
    /// As `pin`, for a caller that does not come back when it fails: the node's pin of the CID is
    /// then again what it was before, unless the cluster wants it meanwhile.
    Async<> pin_or_undo(Pin pin, component::ProgressHandler progress);
    /// Pins what is held whole; `not_found` names a block that is missing. Undone like pin_or_undo.
    Async<> pin_held(Pin pin);
    /// Every block below the roots of the complete pins. Ends with an error when one is missing.
    SourcePtr<ReachedBlock> reached_blocks();
    /// As open_blocks.
    Async<std::unique_ptr<NodeSession>> open_session();
    /// Drops one block. `conflict` when a pin reaches it, `retryable` while the lease of an add or
    /// import protects it, `not_found` when it is not held.
    Async<> remove_block(Cid cid);

 private:
    NodeParts parts(bool offline = false);
    Async<> pin_with(NodeParts parts, Pin pin, component::ProgressHandler progress, bool undo);
    Async<> walk_pin(NodeParts parts, PinCalls::Call call, component::ProgressHandler progress);
    Async<> check_unpinned(Cid cid);
    Result<> end_lease(const Pin& pin);
    Async<> check_no_root(Cid cid);

    EmbeddedNodeConfig config_;
    blockstore::PinTable pins_;
    blockstore::LeaseTable leases_;
    blockstore::Collector collector_;
    RemovalWatch removals_;
    PinCalls calls_;
    TaskGroup tasks_;
    std::uint64_t pin_changes_ = 0;  ///< grows before a pin's walk may rely on what is held
    bool started_ = false;
};

}  // namespace ipfscluster::node
