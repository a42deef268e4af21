#pragma once
#include <memory>
#include <optional>

#include "base/time.hpp"
#include "model/pin.hpp"
#include "multi/cid.hpp"
#include "storage/store.hpp"

/// Whole copies that this peer keeps after their pins were given to others. Each is a row of the
/// work family (lane `kept`, number 0, CID) which State writes in the batch that moves the pin and
/// the tracker removes once the new holders have it. See docs/formats.md.
namespace ipfscluster::state {

struct KeptCopy {
    Cid cid;
    int depth = kDepthRecursive;  ///< how much of it is kept; never more than the pin asks for now
    std::uint64_t modification_index = 0;  ///< of the move
    Time since = kTimeUnset;               ///< when the move was decided, by whoever decided it
    friend bool operator==(const KeptCopy&, const KeptCopy&) = default;
};

/// The smaller of two depths as pins have them: recursive is the largest.
int smaller_depth(int a, int b);

Bytes kept_key(const Cid& cid);
Bytes encode(const KeptCopy& kept);
Result<KeptCopy> decode_kept(const Cid& cid, BytesView value);
/// A damaged row counts as a whole copy, here and in KeptRows: it must neither be let go nor stop
/// the peer.
Result<std::optional<KeptCopy>> read_kept(storage::Store& store, const Cid& cid);

/// The kept copies behind `after` in the order of CID bytes; frozen when it is made. One strand.
class KeptRows {
 public:
    explicit KeptRows(storage::Store& store, const Cid& after = Cid());
    Result<std::optional<KeptCopy>> next();

 private:
    std::unique_ptr<storage::Iterator> rows_;
};

}  // namespace ipfscluster::state
