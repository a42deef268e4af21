#pragma once
#include <memory>
#include <optional>
#include <utility>

#include "runtime/source.hpp"
#include "tracker/track_planner.hpp"

namespace ipfscluster::tracker {

/// Merges the pinset with the tracker's records, which also has what left the pinset, in the order
/// of CID bytes, and adds which copies are kept. All views are frozen when it is made. One strand;
/// ends before State and the store do.
class FactsWalk {
 public:
    FactsWalk(state::State& pinset, storage::Store& store);

    using Row = std::pair<Cid, Facts>;
    /// The next CID of either table; nothing at the end.
    Async<std::optional<Row>> next();

 private:
    Result<> advance_record();

    state::Holding holding_;
    SourcePtr<state::StoredPin> pins_;
    std::unique_ptr<storage::Iterator> records_;
    state::KeptRows kept_rows_;
    std::optional<state::StoredPin> pin_;
    std::optional<std::pair<Cid, TrackRecord>> record_;
    std::optional<state::KeptCopy> kept_;
    bool primed_ = false;
};

}  // namespace ipfscluster::tracker
