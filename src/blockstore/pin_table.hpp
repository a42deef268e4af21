#pragma once
#include <optional>
#include <vector>

#include "blockstore/rows.hpp"
#include "runtime/async.hpp"

namespace ipfscluster::blockstore {

/// Longest name a pin keeps (Kubo's bound).
inline constexpr std::size_t kPinNameBytesMax = 255;

/// One pin of the node. A plain value.
struct PinRecord {
    Cid cid;
    /// -1: the whole DAG, 0: the one block, n: n levels below it.
    int depth = -1;
    /// Every block of it was held and durable when this was recorded. Else the pin is under way:
    /// what it has got so far is kept by garbage collection.
    bool complete = false;
    /// What whoever pinned it calls it; of complete pins, at most kPinNameBytesMax.
    std::string name = {};
};

/// The pins of the node, in the rows of a store. Nothing is kept in memory. Owned by the embedded
/// node; one strand.
class PinTable {
 public:
    explicit PinTable(storage::Store& rows) : rows_(rows) {}

    Result<std::optional<PinRecord>> get(const Cid& cid) const;
    /// Visible at once, durable with a later sync: losing it only means that the walk starts again.
    Result<> want(const Cid& cid, int depth);
    /// Makes the record of `cid` what it was before a `want`: `before`, or none. Durable with a
    /// later sync.
    Result<> put_back(const Cid& cid, const std::optional<PinRecord>& before);
    /// Durable when it returns.
    Async<> complete(PinRecord record);
    /// Durable when it returns; ok when there was none.
    Async<> remove(Cid cid);
    /// At most `limit` records after `after` (undefined: from the start), in key order.
    Result<std::vector<PinRecord>> list(const Cid& after, std::size_t limit) const;

 private:
    storage::Store& rows_;
};

}  // namespace ipfscluster::blockstore
