#pragma once
#include <functional>
#include <memory>

#include "runtime/world.hpp"

namespace ipfscluster::storage {

/// Lets overlapping writers share one disk sync. A writer takes a ticket after its write and waits
/// until a sync that began after that has ended. Owned by a store; one strand. The running sync
/// keeps what it needs alive, so the owner may go while one runs.
class GroupCommit {
 public:
    struct Hooks {
        /// Makes everything written so far durable; runs away from the strand.
        std::function<Result<>()> sync;
        /// On the strand, after a sync that covered all tickets up to this one. May be empty.
        std::function<void(std::uint64_t ticket)> synced;
        /// The World's threads that sync.
        Pool pool = Pool::log_sync;
    };
    GroupCommit(World& world, Hooks hooks);

    /// A ticket for a write that just happened.
    std::uint64_t wrote();
    std::uint64_t last_ticket() const;
    /// When a sync last ended well; when this was made, while none has.
    SteadyTime synced_at() const;
    /// Returns once the ticket's write is durable, or with the error of the failed sync. A
    /// cancelled wait says `cancelled`; the sync goes on.
    Async<> wait(std::uint64_t ticket);
    /// Begins a sync of all that was written, for which nobody waits.
    void begin();
    /// The error of a failed write or sync: from then on nothing may be trusted to reach the disk.
    std::optional<Error> failure() const;
    /// Records a failure; waiters whose ticket is not durable yet get it.
    void poison(Error error);
    /// Waits until no sync runs.
    Async<> drain();

 private:
    struct Core;
    std::shared_ptr<Core> core_;
};

}  // namespace ipfscluster::storage
