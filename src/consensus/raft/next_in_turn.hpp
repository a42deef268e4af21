#pragma once
#include <algorithm>
#include <vector>

#include "multi/peer_id.hpp"

namespace ipfscluster::raft {

/// The first of `known` (in order) behind `last`, round and round, that `may` be asked; empty when
/// there is none. Pure.
template <class May>
PeerId next_in_turn(const std::vector<PeerId>& known, const PeerId& last, May may) {
    auto next = std::upper_bound(known.begin(), known.end(), last);
    for (std::size_t i = 0; i < known.size(); ++i, ++next) {
        if (next == known.end()) next = known.begin();
        if (may(*next)) return *next;
    }
    return {};
}

}  // namespace ipfscluster::raft
