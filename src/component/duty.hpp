#pragma once
#include <cstddef>
#include <optional>

#include "multi/cid.hpp"

namespace ipfscluster::component {

/// Whose task it is to remove what has expired and to repair what the dead held. Several peers may
/// believe to come first at the same time: whoever acts plans on what stands in its own pinset now
/// and commits with the index of that, so that the second one finds nothing left to do. Made and
/// owned by main; one strand; asked, never waited for.
class Duty {
 public:
    virtual ~Duty() = default;

    /// Whether this peer acts at all. While it does not, it has no rank for anything.
    virtual bool may_act() = 0;
    /// How many peers come before this one for that CID: the first acts at once, each other when
    /// what those before it should have done has stayed undone for long. Nothing: it leaves the CID
    /// to others.
    virtual std::optional<std::size_t> rank(const Cid& cid) = 0;
};

}  // namespace ipfscluster::component
