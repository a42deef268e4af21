#pragma once
#include <map>
#include <optional>

#include "blockstore/rows.hpp"
#include "runtime/world.hpp"

namespace ipfscluster::blockstore {

/// Leases held at once, those that live on after their session included. At the bound kept leases
/// that end at about the same time are put together.
inline constexpr std::size_t kLeasesMax = 4096;

using LeaseId = std::uint64_t;

/// Leases on blocks: while one lives, no block written or touched since its start is collected.
/// They end by release or by the wall clock, and survive a restart. Owned by the embedded node; one
/// strand.
class LeaseTable {
 public:
    LeaseTable(World& world, storage::Store& rows) : world_(world), rows_(rows) {}
    /// Reads the leases of earlier runs.
    Result<> open();

    /// Protects blocks from sequence number `start` on. Durable with a later sync or `keep`.
    /// `retryable` when kLeasesMax sessions are running.
    Result<LeaseId> take(std::uint64_t start, Duration span);
    /// Prolongs a lease without a sync.
    Result<> renew(LeaseId id, Duration span);
    /// Prolongs a lease durably, for the sake of a pin of `root` (a multihash) that is to follow.
    Async<> keep(LeaseId id, Duration span, Bytes root);
    Result<> release(LeaseId id);
    /// Ends the kept leases whose root this is: the pin has taken over.
    Result<> release_kept(BytesView root);

    /// Blocks from this number on are protected; the largest number when there is no lease.
    std::uint64_t protected_from();
    std::size_t size() const { return leases_.size(); }

 private:
    struct Lease {
        std::uint64_t start = 0;
        Time expires = kTimeUnset;
        Bytes root;         // whose pin ends it; empty: only the clock does
        bool kept = false;  // no session renews it any more
    };
    /// Puts two kept leases together; false when there are none.
    Result<bool> merge_kept();
    void write_row(storage::Batch& batch, LeaseId id, const Lease& lease) const;
    void drop_expired();

    World& world_;
    storage::Store& rows_;
    std::map<LeaseId, Lease> leases_;
    LeaseId next_id_ = 1;
};

}  // namespace ipfscluster::blockstore
