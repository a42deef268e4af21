#pragma once
#include <optional>

#include "multi/cid.hpp"
#include "storage/store.hpp"

namespace ipfscluster::state {

/// The queues of a peer's own work, in the order in which they are looked at. `unpin` and `pin`
/// rows are written by State with a number that only grows; `retry` rows carry the time they are
/// due (ns since the epoch); `later` holds pins that gave way to fresher ones. `retry` and `later`
/// belong to the tracker. `kept` is no queue: its rows are copies that stay until others have them
/// (state/kept.hpp).
enum class WorkLane : std::uint8_t { unpin = 1, pin = 2, retry = 3, later = 4, kept = 5 };

/// One row of the work family: lane ‖ BE64 number ‖ CID. Says only "look at this CID": what there
/// is to do follows from the pinset at that time.
struct WorkRow {
    WorkLane lane = WorkLane::pin;
    std::uint64_t number = 0;
    Cid cid;
    friend bool operator==(const WorkRow&, const WorkRow&) = default;
};

Bytes work_key(const WorkRow& row);
/// `corrupt` when the key is not a work row.
Result<WorkRow> parse_work_key(BytesView key);
/// First key of a lane's rows numbered ≥ `number`.
Bytes work_lane_key(WorkLane lane, std::uint64_t number);
/// End of a lane.
Bytes work_lane_end(WorkLane lane);

}  // namespace ipfscluster::state
