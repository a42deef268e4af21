#include "ipfs/node/node_session.hpp"

#include "base/log.hpp"
#include "blockstore/leaf.hpp"

namespace ipfscluster::node {
namespace {
/// Larger blocks are hashed away from the strand.
constexpr std::size_t kHashInlineMax = 16 * 1024;
}  // namespace

Result<std::unique_ptr<NodeSession>> NodeSession::open(const NodeParts& parts) {
    ICL_TRY(const auto lease,
            parts.leases.take(parts.blocks.next_sequence(), parts.options.session_lease));
    return std::unique_ptr<NodeSession>(new NodeSession(parts, lease));
}

NodeSession::NodeSession(const NodeParts& parts, blockstore::LeaseId lease)
    : parts_(parts),
      lease_(lease),
      epoch_(parts.blocks.loss_epoch()),
      renewed_(parts.world.steady_now()) {}

NodeSession::~NodeSession() {
    if (committed_) return;
    auto released = parts_.leases.release(lease_);
    if (!released)
        logger("ipfsnode")->warn("cannot release a lease error=\"{}\"", released.error().text);
}

Async<> NodeSession::put(Cid cid, Bytes data) {
    auto block = std::make_shared<dag::Block>(dag::Block{std::move(cid), std::move(data)});
    Result<> verified = ok();
    if (block->data.size() <= kHashInlineMax) {
        verified = dag::verify_block(block->cid, block->data);
    } else {
        auto work = [block] { return dag::verify_block(block->cid, block->data); };
        verified = co_await offload(parts_.world, std::move(work));
    }
    if (!verified) {
        if (verified.error().kind == Kind::corrupt)
            co_return fail(Kind::invalid, verified.error().text);
        co_return fail(verified.error());
    }
    co_return co_await put_verified(std::move(block->cid), std::move(block->data));
}

Result<> NodeSession::renew_if_due() {
    const auto now = parts_.world.steady_now();
    if (now - renewed_ <= parts_.options.session_lease / 4) return ok();
    ICL_TRY(parts_.leases.renew(lease_, parts_.options.session_lease));
    renewed_ = now;
    return ok();
}

Async<> NodeSession::put_verified(Cid cid, Bytes data) {
    if (blockstore::inlined_data(cid)) co_return ok();
    ICL_CO_TRY(renew_if_due());
    last_ = Bytes(cid.multihash());
    std::vector<dag::Block> blocks;
    blocks.push_back({cid, std::move(data)});
    ICL_CO_TRY(co_await parts_.blocks.put(std::move(blocks)));
    if (parts_.fetcher != nullptr) parts_.fetcher->announce(cid);
    co_return ok();
}

Async<> NodeSession::commit() {
    ICL_CO_TRY(co_await parts_.blocks.sync(epoch_));
    ICL_CO_TRY(co_await parts_.leases.keep(lease_, parts_.options.gc_lease, last_));
    committed_ = true;
    co_return ok();
}

Async<> NodeSession::commit_unleased() {
    ICL_CO_TRY(co_await parts_.blocks.sync(epoch_));
    ICL_CO_TRY(parts_.leases.release(lease_));
    committed_ = true;
    co_return ok();
}

}  // namespace ipfscluster::node
