#include "tracker/pins_to_hold.hpp"

#include "state/pins_where.hpp"
#include "tracker/track_planner.hpp"

namespace ipfscluster::tracker {

SourcePtr<Pin> pins_to_hold(state::State& pinset) {
    return state::pins_where(pinset,
                             [self = pinset.self()](const Pin& pin) { return is_mine(pin, self); });
}

}  // namespace ipfscluster::tracker
