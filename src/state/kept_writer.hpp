#pragma once
#include <map>

#include "state/kept.hpp"

namespace ipfscluster::state {

/// Puts the rows of kept copies into batches and sees what it put into one that is not written yet.
/// A peer that never gave a pin away is not asked for a row it cannot have. Owned by State; one
/// strand.
class KeptWriter {
 public:
    explicit KeptWriter(storage::Store& store) : store_(store) {}
    /// Looks whether there are rows.
    Result<> open();

    void keep(storage::Batch& batch, KeptCopy kept);
    /// Removes the row; whether there was one.
    Result<bool> end(storage::Batch& batch, const Cid& cid);
    /// The pin asks for this depth now: no more than that stays kept.
    Result<> lower(storage::Batch& batch, const Cid& cid, int depth);

    /// The batch was written or given up.
    void forget_pending() { pending_.clear(); }
    /// Copies that began to be kept since `open`, those of batches that were given up included.
    std::uint64_t added() const { return added_; }

 private:
    Result<std::optional<KeptCopy>> find(const Cid& cid);

    storage::Store& store_;
    bool any_ = false;  ///< false: there is surely no row
    std::uint64_t added_ = 0;
    std::map<Cid, std::optional<KeptCopy>> pending_;
};

}  // namespace ipfscluster::state
