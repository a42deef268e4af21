#pragma once
#include "component/ipfs_connector.hpp"
#include "tracker/no_room.hpp"
#include "tracker/pin_queue.hpp"

namespace ipfscluster::tracker {

/// Writes what came of an item: one write has the record, and the row gone or due again later, so
/// that a crash anywhere repeats at most one call. Owned by the tracker; one strand; errors of the
/// store are passed on.
class Outcomes {
 public:
    struct Parts {
        World& world;
        component::IpfsConnector& ipfs;
        PinQueue& queue;
        const TrackerOptions& options;
    };
    explicit Outcomes(Parts parts) : parts_(parts) {}

    /// A task has ended.
    Result<> finish(const TaskPtr& task, const Facts& facts, Result<> outcome);
    /// The same, into a batch.
    void settle(storage::Batch& batch, const TaskPtr& task, const Facts& facts, Result<> outcome);
    /// What the daemon says, into the record of an item that nobody works on.
    void record_finding(storage::Batch& batch, const Cid& cid, Facts& facts, Finding finding);
    /// The daemon has said that it holds all of a copy that is kept here.
    Result<> record_whole(const Cid& cid, Facts& facts);

    NoRoom& no_room() { return no_room_; }

 private:
    Time next_try(const Task& task, const Error& error) const;

    Parts parts_;
    NoRoom no_room_;
};

}  // namespace ipfscluster::tracker
