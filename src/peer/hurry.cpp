#include "peer/hurry.hpp"

#include "runtime/join.hpp"

namespace ipfscluster::peer {

namespace {

asio::awaitable<void> keep(Async<> work, std::optional<Result<>>* out) {
    auto result = co_await std::move(work);
    out->emplace(std::move(result));
}

Error hurried() {
    return {Kind::shutting_down, "cut short, as somebody asked for an end a second time"};
}

}  // namespace

void Hurry::now() {
    asked_ = true;
    asked_for_.notify_all();
}

Async<> Hurry::wait() {
    while (!asked_) {
        ICL_CO_TRY(co_await asked_for_.wait());
    }
    co_return ok();
}

asio::awaitable<void> Hurry::cut(Stop stop) {
    auto asked = co_await wait();
    if (!asked) co_return;
    auto stopped = co_await stop(Duration{});
    (void)stopped;  // the call that waits says how it ended
}

Async<> Hurry::drain(Stop stop, Duration limit) {
    if (asked_) co_return co_await stop(Duration{});
    TaskGroup watch(world_, "hurry");
    watch.spawn(cut(stop));
    auto stopped = co_await stop(limit);
    co_await join(watch);
    co_return stopped;
}

asio::awaitable<void> Hurry::cancel(TaskGroup* group) {
    auto asked = co_await wait();
    if (!asked) co_return;
    group->cancel();
}

Async<> Hurry::unless(Async<> work) {
    if (asked_) co_return fail(hurried());
    TaskGroup running(world_, "unless there is a hurry"), watch(world_, "hurry");
    std::optional<Result<>> result;
    running.spawn(keep(std::move(work), &result));
    watch.spawn(cancel(&running));
    auto drained = co_await running.drain();
    co_await join(watch);
    co_await join(running);
    if (asked_ && (!result || !*result)) co_return fail(hurried());
    if (result) co_return std::move(*result);
    co_return drained ? Result<>(fail(hurried())) : drained;
}

}  // namespace ipfscluster::peer
