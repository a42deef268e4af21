#include "runtime/task_group.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include "base/assert.hpp"
#include "base/log.hpp"

namespace ipfscluster {

namespace {

void complain(const std::string& group, bool stopping, const char* what) {
    logger("cluster")->error("a task ended by an exception group={} error=\"{}\"", group, what);
    if (!stopping) ICL_ASSERT(false, "exceptions must not leave a task");
}

void look_at(std::exception_ptr error, const std::string& group, bool stopping) {
    try {
        std::rethrow_exception(error);
    } catch (const boost::system::system_error& e) {
        // Cancelled where it gave others a turn: Asio has no other way to end it there.
        if (!stopping || e.code() != asio::error::operation_aborted)
            complain(group, stopping, e.what());
    } catch (const std::exception& e) {
        complain(group, stopping, e.what());
    }
}

}  // namespace

TaskGroup::TaskGroup(World& world, std::string name)
    : world_(world), name_(std::move(name)), ended_(world.executor()) {}

TaskGroup::~TaskGroup() {
    ICL_ASSERT(tasks_.empty(), "a task group must be stopped: " + name_);
}

bool TaskGroup::spawn(asio::awaitable<void> task) {
    if (stopping_) return false;
    auto at = tasks_.emplace(tasks_.end());
    asio::co_spawn(world_.executor(), std::move(task),
                   asio::bind_cancellation_slot(at->slot(), [this, at](std::exception_ptr error) {
                       tasks_.erase(at);
                       if (error) look_at(error, name_, stopping_);
                       if (tasks_.empty()) ended_.notify_all();
                   }));
    return true;
}

void TaskGroup::cancel() {
    stopping_ = true;
    // A task may end, and so leave the list, inside emit: collect first.
    std::vector<asio::cancellation_signal*> signals;
    for (auto& s : tasks_) signals.push_back(&s);
    for (auto* s : signals) s->emit(asio::cancellation_type::terminal);
}

Async<> TaskGroup::stop() {
    cancel();
    auto drained = co_await drain();
    co_return drained;
}

Async<> TaskGroup::drain() {
    while (!tasks_.empty()) {
        auto woken = co_await ended_.wait();
        if (!woken) co_return woken;
    }
    co_return ok();
}

}  // namespace ipfscluster
