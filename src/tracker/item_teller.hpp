#pragma once
#include "component/ipfs_connector.hpp"
#include "runtime/task_group.hpp"
#include "tracker/handfuls.hpp"
#include "tracker/outcomes.hpp"
#include "tracker/reconciler.hpp"

namespace ipfscluster::tracker {

/// The work on one item: tells the daemon what the pinset says until both agree or the daemon
/// refuses, and writes what came of it. Owned by the workers; one strand. Errors of the store are
/// passed on, and `cancelled` when the tracker stops: the row stays then. Those of the daemon are
/// outcomes, no errors here.
class ItemTeller {
 public:
    struct Parts {
        World& world;
        component::IpfsConnector& ipfs;
        ItemFacts& facts;
        DurableIndex& durable;
        Outcomes& outcomes;
        const Reconciler& reconciler;
        PinShares& shares;
        Handfuls& handfuls;
        const TaskGroup& tasks;
    };
    explicit ItemTeller(Parts parts) : parts_(parts) {}

    Async<> work_off(TaskPtr task);

 private:
    Async<> tell(TaskPtr task, Facts facts);

    Parts parts_;
};

}  // namespace ipfscluster::tracker
