#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "component/cordon.hpp"
#include "model/pin_operation.hpp"
#include "runtime/async.hpp"
#include "runtime/world.hpp"

namespace ipfscluster::component {

struct CommitResult {
    std::uint64_t index = 0;  ///< the modification index the CID has now
};

/// How the peers agree on the pinset and on who is a peer. Made and owned by main; one strand.
/// The pinset itself is read from `state::State` of the same database.
class Consensus {
 public:
    virtual ~Consensus() = default;

    /// Starts talking. Returns at once; `wait_ready` tells when it serves.
    virtual Async<> start() = 0;
    /// Returns ok once the operation is durable by the rules of the algorithm **and** applied here.
    /// `conflict`: the CID has another modification index (nothing changed, plan again);
    /// `not_found`: unpin of an absent CID; `unavailable`: refused before anything was sent;
    /// `unknown_outcome`: it may still happen.
    virtual Async<CommitResult> commit(PinOperation operation) = 0;

    /// Members, sorted by id bytes.
    virtual std::vector<PeerId> peers() = 0;
    /// The members whose agreement counts.
    virtual std::vector<PeerId> voters() { return peers(); }
    virtual Result<PeerId> leader() = 0;
    /// True on the one peer that proposes expiry and repair (raft: the leader with a fresh lease).
    virtual bool is_coordinator() = 0;
    /// Returns once the membership entry is committed (raft: the learner). ok when it is a member
    /// already.
    virtual Async<> add_peer(PeerId peer) = 0;
    /// ok when it is no member, this peer included once it was told. `conflict` when it is the last
    /// one. Both: `unknown_outcome` when it was accepted and its end was not seen.
    virtual Async<> remove_peer(PeerId peer) = 0;
    virtual bool is_trusted(const PeerId& peer) = 0;

    /// What was told about a member; `none` for others.
    virtual Cordon cordon(const PeerId& /*peer*/) { return {}; }
    /// Tells it; ok once it is committed and applied here. `not_found`: no member. Errors as of
    /// `commit`.
    virtual Async<> set_cordon(PeerId /*peer*/, Cordon /*cordon*/) {
        co_return Error{Kind::unsupported, "this consensus has no cordons"};
    }

    /// Waits until this peer is a member, knows a leader and has applied what was committed when it
    /// asked.
    virtual Async<> wait_ready(Duration limit) = 0;
    virtual bool ready() = 0;
    /// What keeps this peer from getting ready until others come or somebody does something, for
    /// people; empty: nothing that is known.
    virtual std::string hindrance() { return {}; }
    /// Waits until everything committed before the call is applied here (raft: ReadIndex).
    virtual Async<> wait_for_sync(Duration limit) = 0;
    /// Completes when this peer has been removed by the others (`conflict`) or the component has
    /// failed; tells why.
    virtual asio::awaitable<Error> wait_ended() = 0;
    /// Removes this component's data (after leaving); only when stopped. Keeps content blocks.
    virtual Async<> clean() = 0;
    /// Pending commits answer `unknown_outcome`; waits for everything it runs. Idempotent.
    virtual Async<> stop() = 0;
};

}  // namespace ipfscluster::component
