#pragma once
#include "component/ipfs_connector.hpp"
#include "ipfs/node/node_parts.hpp"

namespace ipfscluster::node {

/// The BlockSession of the embedded node: a lease from before the first put until `gc_lease` after
/// the last commit, or until the pin of the last block put has been recorded. Owned by the add or
/// import; one strand.
class NodeSession final : public component::BlockSession {
 public:
    static Result<std::unique_ptr<NodeSession>> open(const NodeParts& parts);
    ~NodeSession() override;

    Async<> put(Cid cid, Bytes data) override;
    Async<> put_verified(Cid cid, Bytes data) override;
    Async<> commit() override;
    /// Prolongs the lease in time; each put does it. For work that goes on without puts.
    Result<> renew_if_due();
    /// Makes what was put durable; the lease goes on as long as the session.
    Async<> sync() { return parts_.blocks.sync(epoch_); }
    /// The same when no pin is to follow: the lease ends at once.
    Async<> commit_unleased();

 private:
    NodeSession(const NodeParts& parts, blockstore::LeaseId lease);

    NodeParts parts_;
    blockstore::LeaseId lease_;
    std::uint64_t epoch_;
    SteadyTime renewed_;
    Bytes last_;
    bool committed_ = false;
};

}  // namespace ipfscluster::node
