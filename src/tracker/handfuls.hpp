#pragma once
#include <vector>

#include "component/ipfs_connector.hpp"
#include "tracker/handful_size.hpp"
#include "tracker/outcomes.hpp"

namespace ipfscluster::tracker {

/// A pin to be told together with others, and what was known of it when it was chosen.
struct HandfulPin {
    TaskPtr task;
    Facts facts;
};

/// Tells the daemon of several pins in one call, which is most of what a pin costs that a daemon
/// has at once. Nobody's turn, error or place among the retries depends on the others': when the
/// call does not end well, or a pin has changed meanwhile, the task is marked to be told alone, and
/// only that counts as an attempt. Owned by the tracker; one strand. Errors of the store are passed
/// on; those of the daemon are no errors here.
class Handfuls {
 public:
    struct Parts {
        World& world;
        state::State& pinset;
        component::IpfsConnector& ipfs;
        WorkQueue& rows;
        ItemFacts& facts;
        DurableIndex& durable;
        Outcomes& outcomes;
    };
    explicit Handfuls(Parts parts) : parts_(parts), size_(parts.ipfs.together_max()) {}

    /// How many of so many that wait the next call should have: each of the workers gets its share.
    std::size_t next_size(std::size_t waiting, int workers) const;
    /// `cancelled` when the tracker stops. Tasks that are marked `alone` afterwards are not done;
    /// if it fails, none is.
    Async<> tell(std::vector<HandfulPin> pins);
    /// A pin was told alone and is held.
    void told_alone(Duration took) { size_.ended_well(1, took); }

 private:
    Result<bool> has_changed(const HandfulPin& pin);
    Result<> leave_changed(std::vector<HandfulPin>& pins);
    Result<> record(std::vector<HandfulPin> pins);

    Parts parts_;
    HandfulSize size_;
};

}  // namespace ipfscluster::tracker
