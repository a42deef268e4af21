#pragma once
#include <map>
#include <optional>

#include "blockstore/pin_table.hpp"

namespace ipfscluster::node {

/// The pin calls that are in their walk, by CID, and what the node's record of it was before the
/// first of them. When all have failed and none of them was the cluster's, which comes back for
/// what it wants, the last one puts that record back. Owned by the embedded node; one strand; as
/// many entries as calls.
class PinCalls {
 public:
    explicit PinCalls(blockstore::PinTable& pins) : pins_(pins) {}

    /// Before the call records its wish over `before`. `undo`: nobody comes back for it.
    void begin(const Cid& cid, const std::optional<blockstore::PinRecord>& before, bool undo);
    /// Once for each begin.
    Result<> end(const Cid& cid, bool walked);
    /// The CID was unpinned: no earlier record comes back.
    void unpinned(const Cid& cid);

 private:
    struct Calls {
        std::size_t count = 0;
        bool stays = false;
        std::optional<blockstore::PinRecord> before;
    };
    blockstore::PinTable& pins_;
    std::map<Cid, Calls> calls_;
};

}  // namespace ipfscluster::node
