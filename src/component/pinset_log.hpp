#pragma once
#include <cstdint>
#include <string>

#include "model/pin_operation.hpp"
#include "runtime/async.hpp"
#include "runtime/world.hpp"

namespace ipfscluster::component {

struct CommitResult {
    std::uint64_t index = 0;  ///< the modification index the CID has now
};

/// The pinset as a log of operations that all peers come to agree on. Made and owned by main; one
/// strand. The pinset itself is read from `state::State` of the same database. Modification indexes
/// are this peer's own: for one CID a later one is larger, and nobody compares them between peers.
class PinsetLog {
 public:
    virtual ~PinsetLog() = default;

    /// Starts talking. Returns at once; `wait_ready` tells when it serves.
    virtual Async<> start() = 0;
    /// Returns ok once the operation is durable by the rules of the algorithm **and** applied here.
    /// `conflict`: the CID has another modification index (nothing changed, plan again);
    /// `not_found`: unpin of an absent CID; `unavailable`: refused before anything was sent;
    /// `unknown_outcome`: it may still happen.
    virtual Async<CommitResult> commit(PinOperation operation) = 0;
    /// Waits until everything acknowledged by anybody before the call is applied here, where the
    /// algorithm can know (`strong_reads`); else returns at once.
    virtual Async<> barrier(Duration limit) = 0;
    /// Whether what is read after a `barrier` is all that anybody was told before it.
    virtual bool strong_reads() const = 0;

    /// Waits until this peer takes operations and has what was there when it asked, as far as it
    /// can know.
    virtual Async<> wait_ready(Duration limit) = 0;
    virtual bool ready() = 0;
    /// Whether nothing is missing here that this peer knows to be there.
    virtual bool complete() = 0;
    /// What keeps this peer from getting ready until others come or somebody does something, for
    /// people; empty: nothing that is known.
    virtual std::string hindrance() { return {}; }

    /// Completes when this peer has been removed by the others (`conflict`) or the component has
    /// failed; tells why.
    virtual asio::awaitable<Error> wait_ended() = 0;
    /// Pending commits answer `unknown_outcome`; waits for everything it runs. Idempotent.
    virtual Async<> stop() = 0;
};

}  // namespace ipfscluster::component
