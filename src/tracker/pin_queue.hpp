#pragma once
#include <map>

#include "tracker/item_facts.hpp"
#include "tracker/task_queues.hpp"
#include "tracker/tracker_options.hpp"
#include "tracker/wakeup.hpp"
#include "tracker/work_queue.hpp"

namespace ipfscluster::tracker {

/// What has to be done, from the durable work rows to the tasks that workers take: reads rows ahead
/// into a line for each kind, makes one task of all rows of a CID, and queues again what is to be
/// tried once more. Owned by the tracker; one strand; errors of the store are passed on.
class PinQueue {
 public:
    struct Parts {
        World& world;
        storage::Store& store;
        state::State& pinset;
        ItemFacts& facts;
        Wakeup& wakeup;
        const TrackerOptions& options;
    };
    explicit PinQueue(Parts parts) : parts_(parts), rows_(parts.store) {}

    WorkQueue& rows() { return rows_; }
    TaskQueues& lines() { return lines_; }
    PriorityRule priority_rule() const;

    /// Fills the lines that have room.
    Result<> fill();
    /// When a row of one that failed comes due; nothing while none waits for the clock.
    std::optional<SteadyTime> next_due() const;
    /// Makes an item that has failed or was lost due. The record keeps its error and attempts until
    /// the next one has ended.
    Result<> requeue(const Cid& cid, Facts& facts, Time due);

    /// The task of a CID that waits in memory or runs; null when there is none.
    TaskPtr find(const Cid& cid) const;
    /// The one that holds this place among the workers; null when none does.
    TaskPtr find_at(const PinShares::Place* place) const;
    /// A worker has it. It may stand in a line still, and is taken once.
    void runs(const TaskPtr& task);
    void ended(const TaskPtr& task);
    /// It was to be told together with others, and is to be told alone, soon.
    void tell_alone(const TaskPtr& task);

    /// CIDs in memory; bounded by the lines, the workers and the slow pins.
    std::size_t active() const { return active_.size(); }
    /// Of those the ones that workers have.
    std::size_t running() const { return running_; }
    /// Rows that wait for no retry.
    std::uint64_t size() const;

 private:
    Result<> fill_unpins();
    Result<> fill_pins();
    Result<> fill_older();
    Result<> fill_retries();
    std::size_t room_for(Line line) const;
    Line line_of_asked(const Facts& facts) const;
    Result<> admit(WorkRow row, Line into);
    Result<> merge(const TaskPtr& task, WorkRow row);

    Parts parts_;
    WorkQueue rows_;
    TaskQueues lines_;
    std::map<Cid, TaskPtr> active_;
    std::size_t running_ = 0;
    bool warned_ = false;
};

}  // namespace ipfscluster::tracker
