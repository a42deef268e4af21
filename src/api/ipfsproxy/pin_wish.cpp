#include "api/ipfsproxy/pin_wish.hpp"

namespace ipfscluster::ipfsproxy {

std::optional<Pin> wanted_pin(component::ClusterApi& cluster, const Cid& cid, PinMode mode,
                              std::string_view name) {
    Pin pin;
    pin.cid = cid;
    pin.max_depth = mode == PinMode::direct ? kDepthDirect : kDepthRecursive;
    pin.options.mode = mode;
    pin.options.name = name;
    auto there = cluster.pin_get(cid);
    if (!there) return pin;
    const bool as_deep = there.value().max_depth < 0 || mode == PinMode::direct;
    const bool same_name = name.empty() || name == there.value().options.name;
    const bool lasts = there.value().options.expire_at == kTimeUnset;
    if (as_deep && same_name && lasts) return std::nullopt;
    pin.options = there.value().options;
    if (!as_deep) pin.options.mode = PinMode::recursive;
    if (as_deep) {
        pin.max_depth = there.value().max_depth;
        pin.options.mode = pin.max_depth == kDepthDirect ? PinMode::direct : PinMode::recursive;
    }
    if (!name.empty()) pin.options.name = name;
    pin.options.expire_at = kTimeUnset;
    return pin;
}

}  // namespace ipfscluster::ipfsproxy
