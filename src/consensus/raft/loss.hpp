#pragma once
#include <optional>
#include <string>
#include <vector>

#include "consensus/raft/log_floor.hpp"
#include "consensus/raft/log_store.hpp"
#include "net/host.hpp"
#include "runtime/world.hpp"

namespace ipfscluster::raft {

/// What the floor says that a log which opens has lost, for people; empty: nothing that is known.
std::string what_is_missing(const LogStore& log, const std::optional<Floor>& floor,
                            const PeerId& self);

/// How long the others are asked: they may be starting as well.
inline constexpr Duration kIntactPatience = std::chrono::seconds(20);

/// Whether so many of `others` say within the patience that they are running members of a cluster
/// that we are, or were, a member of, that they can go on without us: a quorum of all, ourselves
/// counted among them. A member runs only when its own data is whole, so what was agreed on is kept
/// without this peer, which may come back as a newcomer. False without others, and with one: two
/// cannot take in a newcomer without the old node. One strand.
Async<bool> quorum_is_intact(World& world, net::Host& host, std::vector<PeerId> others,
                             Duration network_timeout);

}  // namespace ipfscluster::raft
