#pragma once
#include "state/state.hpp"
#include "tracker/durable_index.hpp"
#include "tracker/track_planner.hpp"

namespace ipfscluster::tracker {

/// Reads what is known of one CID: pinset, kept copies and our record, at the same moment. Owned by
/// the tracker; one strand; errors of the store are passed on.
class ItemFacts {
 public:
    ItemFacts(storage::Store& store, state::State& pinset, DurableIndex& durable)
        : store_(store), pinset_(pinset), durable_(durable) {}

    Result<Facts> read(const Cid& cid);
    /// The pin alone.
    Result<std::optional<state::StoredPin>> pin(const Cid& cid);

 private:
    storage::Store& store_;
    state::State& pinset_;
    DurableIndex& durable_;
};

}  // namespace ipfscluster::tracker
