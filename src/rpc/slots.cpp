#include "rpc/slots.hpp"

namespace ipfscluster::rpc {

Async<Slots::Slot> Slots::acquire(PeerId peer) {
    auto entry = peers_[peer].lock();
    if (!entry) {
        std::erase_if(peers_, [](const auto& item) { return item.second.expired(); });
        entry = std::make_shared<Peer>(executor_);
        peers_[peer] = entry;
    }
    while (entry->used >= max_) {
        ++entry->waiting;
        auto woken = co_await entry->freed.wait();
        --entry->waiting;
        if (!woken) {
            // The wake-up may have been meant for us: pass it on.
            entry->freed.notify_one();
            co_return fail(woken.error());
        }
    }
    ++entry->used;
    co_return Slot(entry.get(), [entry](void*) {
        --entry->used;
        entry->freed.notify_one();
    });
}

std::size_t Slots::in_use(const PeerId& peer) const {
    const auto found = peers_.find(peer);
    const auto entry = found == peers_.end() ? nullptr : found->second.lock();
    return entry ? entry->used : 0;
}

}  // namespace ipfscluster::rpc
