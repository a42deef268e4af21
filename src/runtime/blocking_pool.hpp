#pragma once
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "runtime/pool.hpp"

namespace ipfscluster {

/// The threads of one kind of blocking work and the queue before them. Threads are made when there
/// is work for them. Owned by AsioWorld; all members are called from its strand (`join` after the
/// strand ended). Nothing here fails but by a full queue.
class BlockingPool {
 public:
    struct Job;
    using Ticket = std::shared_ptr<Job>;

    explicit BlockingPool(PoolLimits limits);
    ~BlockingPool();
    BlockingPool(const BlockingPool&) = delete;
    BlockingPool& operator=(const BlockingPool&) = delete;

    /// Queues `work`; `done` is called on its thread after it, when all that the work held is gone.
    /// Null when the queue is full.
    Ticket submit(std::function<void()> work, std::function<void()> done);
    /// The caller waits no longer: work that has not begun never begins. True when `done` will not
    /// be called any more; false when the work has begun and the caller must wait for its end.
    bool abandon(const Ticket& ticket);
    /// Ends the threads, after all queued work; where work may outlive the pool without waiting for
    /// it: then what is queued is dropped, and what runs tells nobody.
    void join();

 private:
    struct State;
    static void serve(const std::shared_ptr<State>& state);

    PoolLimits limits_;
    std::shared_ptr<State> state_;  ///< shared with the threads, which may outlive us
    std::vector<std::thread> threads_;
};

}  // namespace ipfscluster
