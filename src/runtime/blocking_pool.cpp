#include "runtime/blocking_pool.hpp"

#include <condition_variable>
#include <list>
#include <mutex>

namespace ipfscluster {

struct BlockingPool::Job {
    enum class Stage : std::uint8_t { queued, running, over };
    std::function<void()> work;
    std::function<void()> done;
    Stage stage = Stage::queued;
    std::list<Ticket>::iterator place;  ///< while queued
};

struct BlockingPool::State {
    std::mutex mutex;
    std::condition_variable changed;
    std::list<Ticket> queue;
    std::list<Ticket> running;
    std::size_t idle = 0;
    bool ending = false;
};

BlockingPool::BlockingPool(PoolLimits limits)
    : limits_(limits), state_(std::make_shared<State>()) {}

BlockingPool::~BlockingPool() {
    join();
}

void BlockingPool::serve(const std::shared_ptr<State>& state) {
    std::unique_lock lock(state->mutex);
    while (true) {
        ++state->idle;
        state->changed.wait(lock, [&] { return state->ending || !state->queue.empty(); });
        --state->idle;
        if (state->queue.empty()) return;
        const auto job = state->queue.front();
        state->running.splice(state->running.end(), state->queue, state->queue.begin());
        job->stage = Job::Stage::running;
        lock.unlock();
        job->work();
        job->work = nullptr;  // what it holds (open files) is gone before the caller goes on
        lock.lock();
        job->stage = Job::Stage::over;
        state->running.erase(job->place);
        // Under the lock: nobody can end the executor it posts to meanwhile.
        if (job->done) job->done();
        job->done = nullptr;
    }
}

BlockingPool::Ticket BlockingPool::submit(std::function<void()> work, std::function<void()> done) {
    auto job = std::make_shared<Job>();
    job->work = std::move(work);
    job->done = std::move(done);
    bool more_threads = false;
    {
        const std::lock_guard lock(state_->mutex);
        if (limits_.queue_max != 0 && state_->queue.size() >= limits_.queue_max) return nullptr;
        job->place = state_->queue.insert(state_->queue.end(), job);
        more_threads = state_->queue.size() > state_->idle && threads_.size() < limits_.threads;
    }
    if (more_threads) threads_.emplace_back([state = state_] { serve(state); });
    state_->changed.notify_one();
    return job;
}

bool BlockingPool::abandon(const Ticket& ticket) {
    std::function<void()> work, done;  // end outside the lock
    const std::lock_guard lock(state_->mutex);
    if (ticket->stage == Job::Stage::queued) {
        state_->queue.erase(ticket->place);
        ticket->stage = Job::Stage::over;
        work = std::move(ticket->work);
    } else if (ticket->stage == Job::Stage::over || !limits_.may_outlive) {
        return false;
    }
    done = std::move(ticket->done);
    ticket->done = nullptr;
    return true;
}

void BlockingPool::join() {
    std::list<Ticket> dropped;
    {
        const std::lock_guard lock(state_->mutex);
        state_->ending = true;
        if (limits_.may_outlive) {
            dropped = std::move(state_->queue);
            state_->queue.clear();
            for (const auto& job : state_->running) job->done = nullptr;
        }
    }
    state_->changed.notify_all();
    for (auto& thread : threads_) {
        if (limits_.may_outlive)
            thread.detach();
        else
            thread.join();
    }
    threads_.clear();
}

}  // namespace ipfscluster
