#include "ipfs/node/reached_blocks.hpp"

#include "blockstore/leaf.hpp"
#include "runtime/turn.hpp"

namespace ipfscluster::node {
namespace {

constexpr std::size_t kPinsPerPage = 64;

}  // namespace

Result<bool> ReachedBlocks::next_pin() {
    while (true) {
        if (at_ == page_.size()) {
            if (last_page_) return false;
            const Cid after = page_.empty() ? Cid() : page_.back().cid;
            ICL_TRY(page_, parts_.pins.list(after, kPinsPerPage));
            at_ = 0;
            last_page_ = page_.size() < kPinsPerPage;
            continue;
        }
        pin_ = page_[at_++];
        if (pin_.depth == 0 || !(pin_.complete || incomplete_)) continue;
        walk_.emplace(pin_.cid, pin_.depth < 0 ? dag::kDepthUnlimited : pin_.depth);
        return true;
    }
}

Result<> ReachedBlocks::follow(const dag::DagWalk::Step& step, BytesView data) {
    auto taken = walk_->arrived(step, data);
    // A pin that failed at this block goes no further and keeps nothing below it.
    if (!taken && pin_.complete)
        return fail(taken.error().in("block " + step.cid.to_string() + " of the pin " +
                                     pin_.cid.to_string()));
    return ok();
}

Async<> ReachedBlocks::expand(dag::DagWalk::Step step) {
    if (auto inlined = blockstore::inlined_data(step.cid)) co_return follow(step, *inlined);
    const Bytes multihash(step.cid.multihash());
    ICL_CO_TRY(const auto size, parts_.blocks.size(multihash));
    if (size) {
        bool leaf = blockstore::surely_leaf(step.cid, {}, *size);
        if (!leaf) {
            const auto prefix =
                co_await parts_.blocks.get_prefix(multihash, blockstore::kLeafPrefixBytes);
            leaf = prefix && prefix.value() &&
                   blockstore::surely_leaf(step.cid, *prefix.value(), *size);
        }
        if (leaf) {
            walk_->skip(step);
            co_return ok();
        }
        const auto data = co_await parts_.blocks.get(multihash);
        if (!data && (pin_.complete || data.error().kind != Kind::corrupt))
            co_return fail(data.error().in("block " + step.cid.to_string() + " of the pin " +
                                           pin_.cid.to_string()));
        if (data && data.value()) co_return follow(step, *data.value());
    }
    if (pin_.complete)
        co_return fail(Kind::corrupt, "block " + step.cid.to_string() + " of the pin " +
                                          pin_.cid.to_string() + " is missing");
    walk_->skip(step);
    co_return ok();
}

Async<std::optional<ReachedBlock>> ReachedBlocks::next() {
    while (true) {
        auto step = walk_ ? walk_->next() : std::nullopt;
        if (!step) {
            ICL_CO_TRY(const bool more, next_pin());
            if (!more) co_return std::optional<ReachedBlock>{};
            continue;
        }
        // What reads the disk does not feel a cancellation.
        if (++steps_ % kRowsPerTurn == 0) {
            ICL_CO_TRY(co_await take_turn());
        }
        ICL_CO_TRY(co_await expand(*step));
        if (step->depth == 0) continue;
        co_return std::optional<ReachedBlock>(ReachedBlock{pin_.cid, std::move(step->cid)});
    }
}

}  // namespace ipfscluster::node
