#pragma once
#include <map>
#include <optional>
#include <set>

#include "blockstore/pin_table.hpp"

namespace ipfscluster::node {

/// True when a complete pin of depth `held` includes one of depth `wanted`.
bool covers(int held, int wanted);

/// The pin calls that are in their walk, by CID, and what the node's record of it was before the
/// first of them. When all have failed and none of them was the cluster's, which comes back for
/// what it wants, the last one puts that record back. Owned by the embedded node; one strand; as
/// many entries as calls.
class PinCalls {
 public:
    explicit PinCalls(blockstore::PinTable& pins) : pins_(pins) {}

    struct Call {
        Cid cid;
        int depth = -1;
        bool undo = false;         ///< nobody comes back for it
        std::uint64_t unpins = 0;  ///< of the CID when it began
    };
    /// Before the call records its wish over `before`.
    Call begin(const Cid& cid, int depth, const std::optional<blockstore::PinRecord>& before,
               bool undo);
    /// The depth to record for this call: another's when that reaches further, so that a collection
    /// keeps what the other relies on.
    int wish(const Call& call) const;
    /// The CID was unpinned since the call began: what its walk met may be collected already.
    bool overtaken(const Call& call) const;
    /// True when another call wants more than `record`: it must not be recorded now, but comes back
    /// if the other fails and is not the cluster's, which tries again. Before `end`.
    bool defer(const blockstore::PinRecord& record);
    /// Once for each begin. `done`: the call has succeeded.
    Result<> end(const Call& call, bool done);
    /// The CID was unpinned: no earlier record comes back.
    void unpinned(const Cid& cid);

 private:
    struct Calls {
        std::size_t count = 0;
        bool stays = false;
        std::optional<blockstore::PinRecord> before;
        std::uint64_t unpins = 0;
        std::multiset<int> wishes;  // depths of the running calls that were not overtaken
        std::optional<int> left;    // depth of the cluster's call that failed
        int widest(int depth) const;
    };
    blockstore::PinTable& pins_;
    std::map<Cid, Calls> calls_;
};

}  // namespace ipfscluster::node
