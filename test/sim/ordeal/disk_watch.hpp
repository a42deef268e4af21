#pragma once
#include <map>
#include <string>
#include <vector>

#include "support/sim_cluster.hpp"

namespace ipfscluster::ordeal {

/// Looks at the disks of all members, up or down: an item that one of them held whole while it was
/// pinned, and that nobody has unpinned since, stays whole on one of them at least, where a
/// collection would keep it. One run's; outlived by the cluster.
class DiskWatch {
 public:
    explicit DiskWatch(test::SimCluster& cluster) : cluster_(cluster) {}
    /// An item, with the multihashes of its blocks.
    void expect(const Cid& item, std::vector<Bytes> blocks) { items_[item] = std::move(blocks); }
    /// Reads every disk: for now and then.
    void look();
    /// It was whole, and must be.
    bool kept(const Cid& item) const { return whole_.contains(item); }
    /// The first rule that was broken.
    const std::string& wrong() const { return wrong_; }

 private:
    /// Those that somebody has unpinned, or has been asked to, forget what was seen.
    void forget_unpinned();
    bool stands(const Cid& item);

    test::SimCluster& cluster_;
    std::map<Cid, std::vector<Bytes>> items_;
    std::set<Cid> whole_;
    std::set<Cid> unpinned_;  ///< at any time
    std::size_t operations_seen_ = 0;
    std::string wrong_;
};

}  // namespace ipfscluster::ordeal
