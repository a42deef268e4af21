#include "cluster/cordons.hpp"

namespace ipfscluster::cluster {

using component::Cordon;

Cordons read_cordons(component::Membership& members,
                     const std::function<bool(const PeerId&)>& settled) {
    Cordons out;
    for (const auto& [peer, cordon] : members.cordons()) {
        if (!cordon.takes_no_pins()) continue;
        out.closed.insert(peer);
        if (cordon.kind == Cordon::Kind::leaving || (cordon.moves_pins() && settled(peer)))
            out.moving.insert(peer);
    }
    return out;
}

std::string name_peers(const std::set<PeerId>& peers) {
    std::string out;
    for (const auto& peer : peers) out += (out.empty() ? "" : ", ") + peer.to_string();
    return out;
}

std::string_view to_string(Cordon::Kind kind) {
    switch (kind) {
        case Cordon::Kind::cordoned:
            return "cordoned";
        case Cordon::Kind::draining:
            return "draining";
        case Cordon::Kind::leaving:
            return "leaving";
        case Cordon::Kind::none:
            break;
    }
    return "none";
}

}  // namespace ipfscluster::cluster
