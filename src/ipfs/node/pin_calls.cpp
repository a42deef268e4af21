#include "ipfs/node/pin_calls.hpp"

#include "base/assert.hpp"

namespace ipfscluster::node {

bool covers(int held, int wanted) {
    return held < 0 || (wanted >= 0 && held >= wanted);
}

int PinCalls::Calls::widest(int depth) const {
    for (const int wish : wishes)
        if (!covers(depth, wish)) depth = wish;
    if (left && !covers(depth, *left)) depth = *left;
    return depth;
}

PinCalls::Call PinCalls::begin(const Cid& cid, int depth,
                               const std::optional<blockstore::PinRecord>& before, bool undo) {
    auto& calls = calls_[cid];
    // A complete record is one that an earlier call has reported.
    if (calls.count++ == 0 || (before && before->complete)) calls.before = before;
    if (!undo) {
        calls.stays = true;
        calls.left.reset();
    }
    calls.wishes.insert(depth);
    return {cid, depth, undo, calls.unpins};
}

int PinCalls::wish(const Call& call) const {
    return calls_.at(call.cid).widest(call.depth);
}

bool PinCalls::overtaken(const Call& call) const {
    return calls_.at(call.cid).unpins != call.unpins;
}

bool PinCalls::defer(const blockstore::PinRecord& record) {
    auto& calls = calls_.at(record.cid);
    if (covers(record.depth, calls.widest(record.depth))) return false;
    calls.before = record;
    return true;
}

Result<> PinCalls::end(const Call& call, bool done) {
    const auto it = calls_.find(call.cid);
    ICL_ASSERT(it != calls_.end(), "a pin call ends that has not begun");
    auto& running = it->second;
    if (running.unpins == call.unpins) {
        running.wishes.erase(running.wishes.find(call.depth));
        if (!done && !call.undo) running.left = call.depth;
    }
    if (--running.count > 0) return ok();
    const auto calls = std::move(running);
    calls_.erase(it);
    if (done || calls.stays) return ok();
    ICL_TRY(const auto now, pins_.get(call.cid));
    // Another call may have succeeded, an unpin may have taken the record away.
    if (!now || now->complete) return ok();
    return pins_.put_back(call.cid, calls.before);
}

void PinCalls::unpinned(const Cid& cid) {
    const auto it = calls_.find(cid);
    if (it == calls_.end()) return;
    auto& calls = it->second;
    ++calls.unpins;
    calls.before.reset();
    calls.stays = false;
    calls.wishes.clear();
    calls.left.reset();
}

}  // namespace ipfscluster::node
