#include "model/pin.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace ipfscluster {

std::string_view to_string(PinType type) {
    switch (type) {
        case PinType::data:
            return "pin";
        case PinType::meta:
            return "meta-pin";
        case PinType::cluster_dag:
            return "clusterdag-pin";
        case PinType::shard:
            return "shard-pin";
        case PinType::all:
            return "all";
        case PinType::bad:
            break;
    }
    return "bad-type";
}

PinType parse_pin_type(std::string_view text) {
    for (const auto type :
         {PinType::data, PinType::meta, PinType::cluster_dag, PinType::shard, PinType::all})
        if (to_string(type) == text) return type;
    return PinType::bad;
}

std::string_view to_string(PinMode mode) {
    return mode == PinMode::direct ? "direct" : "recursive";
}

bool Pin::allocated_to(const PeerId& peer) const {
    return everywhere() ||
           std::find(allocations.begin(), allocations.end(), peer) != allocations.end();
}

Result<> check_replication(int min, int max) {
    const auto bad = [&](std::string_view why) {
        return fail(Kind::invalid,
                    fmt::format("replication factors min={} max={}: {}", min, max, why));
    };
    if (min == 0 || max == 0) return bad("neither may be 0");
    if (min < -1 || max < -1) return bad("the smallest value is -1 (everywhere)");
    if ((min == -1) != (max == -1)) return bad("-1 (everywhere) must be given for both");
    if (min > max) return bad("the minimum is larger than the maximum");
    return ok();
}

}  // namespace ipfscluster
