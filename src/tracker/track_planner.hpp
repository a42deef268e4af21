#pragma once
#include <optional>

#include "model/status.hpp"
#include "state/kept.hpp"
#include "state/state.hpp"
#include "state/work.hpp"
#include "tracker/track_record.hpp"
#include "tracker/work_queue.hpp"

namespace ipfscluster::tracker {

/// Decisions of the tracker as functions on values; `tracker.cpp` carries them out.

/// What is known of one CID at one moment.
struct Facts {
    std::optional<state::StoredPin> pin;  ///< from the pinset
    bool mine = false;                    ///< state::Holding: this peer is to hold it
    std::optional<TrackRecord> record;
    std::optional<state::KeptCopy> kept;  ///< stays until others have it; never of a pin of ours
};

enum class Step : std::uint8_t { nothing, pin, unpin };
/// What to tell the daemon when a work row of `lane` asks to look at the CID. Rows may be stale or
/// doubled, so nothing follows from the row but the moment.
Step plan_step(const Facts& facts, state::WorkLane lane);

/// True when what was decided on `before` no longer holds: the pin was changed, added or taken
/// away.
bool has_moved_on(const Facts& before, const Facts& after);

/// Fresh pins that have not failed often go first (Go's priority_pin_max_age and
/// priority_pin_max_retries).
struct PriorityRule {
    Duration max_age;
    std::uint32_t max_retries;
};
bool is_priority(const Pin& pin, std::uint32_t attempts, Time now, const PriorityRule& rule);

/// Where a task waits for its turn. Each line has its own share of the look-ahead, so that none of
/// them keeps another from being read.
enum class Line : std::uint8_t {
    unpin,
    unpin_retry,
    fresh,  ///< pins that users have just made
    alone,  ///< of what was never tried: taken out to be told with others, which did not come about
    older,  ///< pins that were made long ago, and never tried here
    lost,   ///< the daemon held them once
    asked,  ///< pins that somebody asked for by name
    fresh_retry,
    retry,
};
inline constexpr std::size_t kLines = 9;
/// Due before all others that are: somebody asked for just this item to be tried again.
inline constexpr Time kDueAtOnce{std::chrono::nanoseconds(kAskedNumber)};

/// Where an item waits whose row is due again, and which view of the rows is read for that line.
Line line_of_retry(const Facts& facts, Time now, const PriorityRule& rule);
WorkView view_for(Line line);

/// Whether the daemon may be told of it in one call with others: a whole DAG, of which nothing was
/// tried here before, and nothing special is asked.
bool fits_handful(const Facts& facts);

/// Wait before the next attempt: none after no failure, then doubles from `first` with each, at
/// most `longest`.
Duration retry_delay(std::uint32_t attempts, Duration first, Duration longest);

/// Whether the daemon's pin is at least what the pinset asks for: a recursive one covers a direct
/// one, not the other way round.
bool is_held(const Pin& pin, IpfsPinStatus status);

/// What a look at the daemon changes in the record of a CID that this peer should hold.
enum class Finding : std::uint8_t { as_recorded, pinned, lost };
/// `lost` only where the record claims this very pin: one that is queued or has failed is not held
/// and says so already.
Finding compare_with_daemon(const Facts& facts, bool held);

/// A pin that was made this long before it came here may well be held already (an import, a peer
/// that took its disk along): the daemon is asked before it is told.
inline constexpr Duration kFreshAge = std::chrono::seconds(10);

/// What a status list says about a CID on which nothing runs now.
TrackerStatus resting_status(const Facts& facts, Time now);

/// Statuses from which `recover` queues again.
bool can_recover(TrackerStatus status);
/// True of what waits for the end of its back-off: not of what was lost, nor of a retry that lies
/// further away than any back-off (the clock was set back).
bool tries_itself(const Facts& facts, Time now, Duration longest);

}  // namespace ipfscluster::tracker
