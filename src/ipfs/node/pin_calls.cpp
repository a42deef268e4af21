#include "ipfs/node/pin_calls.hpp"

#include "base/assert.hpp"

namespace ipfscluster::node {

void PinCalls::begin(const Cid& cid, const std::optional<blockstore::PinRecord>& before,
                     bool undo) {
    auto& calls = calls_[cid];
    if (calls.count++ == 0) calls.before = before;
    calls.stays = calls.stays || !undo;
}

Result<> PinCalls::end(const Cid& cid, bool walked) {
    const auto it = calls_.find(cid);
    ICL_ASSERT(it != calls_.end(), "a pin call ends that has not begun");
    if (--it->second.count > 0) return ok();
    const auto calls = std::move(it->second);
    calls_.erase(it);
    if (walked || calls.stays) return ok();
    ICL_TRY(const auto now, pins_.get(cid));
    // Another call may have succeeded, an unpin may have taken the record away.
    if (!now || now->complete) return ok();
    return pins_.put_back(cid, calls.before);
}

void PinCalls::unpinned(const Cid& cid) {
    if (const auto it = calls_.find(cid); it != calls_.end()) it->second.before.reset();
}

}  // namespace ipfscluster::node
