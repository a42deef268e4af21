#pragma once
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "component/membership.hpp"

namespace ipfscluster::cluster {

/// What operators have told about the members, as it counts when holders are chosen. A plain value
/// of one moment.
struct Cordons {
    std::set<PeerId> closed;  ///< take no new pins
    std::set<PeerId> moving;  ///< what they have goes to others now
};

/// Reads them. Of one that is drained and has fallen silent nothing moves before
/// `settled` says that it is dead, or here again; of one that is to leave it moves at once.
Cordons read_cordons(component::Membership& members,
                     const std::function<bool(const PeerId&)>& settled);

/// The peers as a text, for people.
std::string name_peers(const std::set<PeerId>& peers);

std::string_view to_string(component::Cordon::Kind kind);

}  // namespace ipfscluster::cluster
