#pragma once
#include "component/duty.hpp"
#include "component/membership.hpp"
#include "component/pinset_log.hpp"

namespace ipfscluster::component {

/// One kind of consensus, as a whole: for whoever makes it and hands its interfaces to those who
/// use them. Everybody else takes the ones needed.
class Consensus : public PinsetLog, public Membership, public Duty {};

}  // namespace ipfscluster::component
