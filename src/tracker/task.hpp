#pragma once
#include <memory>
#include <optional>

#include "component/ipfs_connector.hpp"
#include "runtime/signal.hpp"
#include "state/work.hpp"
#include "tracker/pin_shares.hpp"
#include "tracker/track_planner.hpp"

namespace ipfscluster::tracker {

/// A CID that is being looked at: waiting in memory for its turn, or running. Made by the
/// scheduler, shared with the worker and the handler that the daemon's progress is told to.
struct Task {
    Task(asio::any_io_executor executor, state::WorkRow r)
        : row(std::move(r)), interrupted(std::move(executor)) {}

    state::WorkRow row;  ///< the newest row of this CID; removed when the task is done
    bool running = false;
    bool retry = false;              ///< it has failed before
    bool hurried = false;            ///< somebody asked for it while it waited
    bool alone = false;              ///< it is not to be told together with others
    Step step = Step::nothing;       ///< what the daemon is being told
    std::optional<Error> interrupt;  ///< why the pin that runs must end now
    Signal interrupted;
    Time since = kTimeUnset;
    std::uint32_t attempts = 0;
    component::PinProgress progress;
    PinShares::Place* place = nullptr;  ///< while it runs as a pin
};
using TaskPtr = std::shared_ptr<Task>;

}  // namespace ipfscluster::tracker
