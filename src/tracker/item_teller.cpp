#include "tracker/item_teller.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "runtime/join.hpp"

namespace ipfscluster::tracker {

using Phase = TrackRecord::Phase;

namespace {

Async<> wait_interrupt(TaskPtr task) {
    while (!task->interrupt) {
        auto woken = co_await task->interrupted.wait();
        if (!woken) co_return fail(woken.error());
    }
    co_return ok();
}

}  // namespace

/// One round: read the facts and decide; for a pin, wait until the operation behind it is on our
/// disk; tell the daemon; read the facts again. If they have moved on meanwhile, the next round
/// goes by what they are now. Else the outcome is written together with the removal of the row. A
/// stop ends it before that, so that the next start takes the row up again.
Async<> ItemTeller::work_off(TaskPtr task) {
    for (;;) {
        ICL_CO_TRY(auto facts, parts_.facts.read(task->row.cid));
        task->step = plan_step(facts, task->row.lane);
        task->since = parts_.world.system_now();
        task->interrupt.reset();
        task->progress = {};
        if (task->place != nullptr) parts_.shares.again(*task->place);
        if (task->step == Step::nothing) co_return parts_.outcomes.finish(task, facts, ok());
        if (task->step == Step::pin && !parts_.durable.covers(facts.pin->modification_index)) {
            ICL_CO_TRY(co_await parts_.durable.reach(facts.pin->modification_index));
            ICL_CO_TRY(const auto now, parts_.facts.read(task->row.cid));
            if (has_moved_on(facts, now)) continue;
        }
        const auto failed_before = task->step == Step::pin ? Phase::pin_error : Phase::unpin_error;
        task->attempts =
            1 + (facts.record && facts.record->phase == failed_before ? facts.record->attempts : 0);
        const auto begun = parts_.world.steady_now();
        auto told = co_await tell(task, facts);
        if (told && task->step == Step::pin)
            parts_.handfuls.told_alone(parts_.world.steady_now() - begun);
        // The rows stay: the next start takes them up again.
        if (parts_.tasks.stopping()) co_return fail(Kind::cancelled, "the tracker stops");
        ICL_CO_TRY(auto after, parts_.facts.read(task->row.cid));
        // It was given to others meanwhile, who may not have it: it is whole here.
        if (told && task->step == Step::pin && after.kept) {
            ICL_CO_TRY(parts_.outcomes.record_whole(task->row.cid, after));
        }
        if (has_moved_on(facts, after)) continue;
        co_return parts_.outcomes.finish(task, after, std::move(told));
    }
}

Async<> ItemTeller::tell(TaskPtr task, Facts facts) {
    using namespace asio::experimental::awaitable_operators;
    if (task->step == Step::unpin) {
        auto done = co_await parts_.ipfs.unpin(task->row.cid);
        co_return done;
    }
    // Kubo may report after the call ended, so the handler holds the task.
    component::ProgressHandler progress = [task, &clock = parts_.world](component::PinProgress p) {
        task->progress = p;
        if (task->place != nullptr) task->place->pace.moved(clock.steady_now());
    };
    ICL_CO_TRY(co_await check_cancelled());
    component::PinRequest request(facts.pin->pin, parts_.reconciler.known(task->row, *facts.pin));
    auto pinning = parts_.ipfs.pin(std::move(request), std::move(progress));
    auto first = co_await (detail::as_optional<void>(std::move(pinning)) ||
                           detail::as_optional<void>(wait_interrupt(task)));
    if (first.index() == 0) co_return std::move(*std::get<0>(first));
    if (task->interrupt) co_return fail(*task->interrupt);
    co_return fail(Kind::cancelled, "the tracker stops");
}

}  // namespace ipfscluster::tracker
