#include "sim/ordeal/disk_watch.hpp"

namespace ipfscluster::ordeal {

/// An unpin whose answer was lost may come at any time: what was ever asked to be unpinned is not
/// looked at any more.
void DiskWatch::forget_unpinned() {
    const auto& operations = cluster_.operations();
    for (; operations_seen_ < operations.size(); ++operations_seen_) {
        const auto& each = operations[operations_seen_];
        if (each.pin || each.read) continue;
        unpinned_.insert(each.cid);
        whole_.erase(each.cid);
    }
}

bool DiskWatch::stands(const Cid& item) {
    for (int number = 0; number < cluster_.size(); ++number) {
        auto& peer = cluster_.peer(number);
        if (!peer.up() || !peer.member) continue;
        const auto stored = peer.life().state.get(item);
        if (stored && stored.value()) return true;
    }
    return false;
}

void DiskWatch::look() {
    if (items_.empty() || !wrong_.empty()) return;
    forget_unpinned();
    std::set<Cid> now, certain;
    for (int number = 0; number < cluster_.size(); ++number) {
        auto& peer = cluster_.peer(number);
        if (!peer.member) continue;
        now.merge(peer.keeps(items_, false));
        certain.merge(peer.keeps(items_, true));
    }
    for (const auto& item : whole_)
        if (!now.contains(item) && wrong_.empty())
            wrong_ = "no disk of a member holds " + item.to_string() +
                     " whole any more, which was pinned all the time";
    for (const auto& item : certain)
        if (!unpinned_.contains(item) && stands(item)) whole_.insert(item);
}

}  // namespace ipfscluster::ordeal
