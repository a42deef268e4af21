#include "tracker/pin_workers.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/assert.hpp"
#include "base/log.hpp"

namespace ipfscluster::tracker {

namespace {
auto log() {
    return logger("pintracker");
}
}  // namespace

PinWorkers::PinWorkers(Parts parts)
    : parts_(parts),
      shares_(parts.options.concurrent_pins),
      unpin_shares_(parts.options.concurrent_unpins),
      handfuls_({.world = parts.world,
                 .pinset = parts.pinset,
                 .ipfs = parts.ipfs,
                 .rows = parts.queue.rows(),
                 .facts = parts.facts,
                 .durable = parts.durable,
                 .outcomes = parts.outcomes}),
      teller_({.world = parts.world,
               .ipfs = parts.ipfs,
               .facts = parts.facts,
               .durable = parts.durable,
               .outcomes = parts.outcomes,
               .reconciler = parts.reconciler,
               .shares = shares_,
               .handfuls = handfuls_,
               .tasks = parts.tasks}) {}

/// One round: read rows ahead into the lines, give tasks to the workers that are free, pause. New
/// rows, the end of a task or of a comparison, and the daemon's return wake it; a wake-up during a
/// round makes it begin anew at once. What only time brings is waited for with a deadline: a retry
/// that comes due, an attempt that becomes slow, the next window of the pace. No round waits for a
/// call.
asio::awaitable<void> PinWorkers::run() {
    co_await asio::this_coro::throw_if_cancelled(false);
    while (!parts_.tasks.stopping()) {
        parts_.wakeup.round_begins();
        auto filled = parts_.queue.fill();
        if (!filled)
            log()->error("reading the work queue failed error=\"{}\"", filled.error().text);
        start_tasks();
        auto paused = co_await pause();
        if (!paused && paused.error().kind == Kind::cancelled) co_return;
    }
}

/// Waits until there may be something to do: a new row, a free worker, a retry that is due.
Async<> PinWorkers::pause() {
    if (parts_.wakeup.pending()) {
        // Lets others run between two rounds of a long queue.
        const auto before = parts_.world.steady_now();
        co_await asio::post(asio::use_awaitable);
        const auto now = parts_.world.steady_now();
        pace_.turn_took(now, now - before);
        co_return ok();
    }
    std::optional<SteadyTime> until;
    const auto steady = parts_.world.steady_now();
    if (pace_ends_) until = *pace_ends_;
    // Somebody waits for the worker that it will give away.
    const bool pins_wait = lines().untried_pins() || lines().pin_retries();
    const auto slow = pins_wait ? shares_.next_slow(steady) : std::nullopt;
    if (slow && (!until || *slow < *until)) until = *slow;
    const auto due = parts_.queue.next_due();
    if (due && (!until || *due < *until)) until = *due;
    if (!until) {
        auto woken = co_await parts_.wakeup.wait();
        co_return woken;
    }
    auto woken =
        co_await with_deadline<void>(parts_.world, *until - steady, "work", parts_.wakeup.wait());
    co_return woken;
}

/// Nothing is begun while the daemon is away; the connector tells when it is back.
void PinWorkers::start_tasks() {
    pace_ends_.reset();
    const auto daemon = parts_.ipfs.daemon();
    if (!daemon.available) return;
    shares_.allow(daemon.pins_at_once);
    ICL_ASSERT(shares_.attempts() + unpin_shares_.running() <= parts_.queue.running(),
               "each worker has a task");
    parts_.reconciler.compare_if_many_wait();  // its end wakes us
    start_unpins();
    if (!parts_.reconciler.holds_pins_back()) start_pins();
}

void PinWorkers::start_unpins() {
    for (;;) {
        const auto turn =
            unpin_shares_.turn(lines().any({Line::unpin}), lines().any({Line::unpin_retry}));
        if (turn == PinTurn::nobody) return;
        const bool retry = turn == PinTurn::retry;
        auto task = lines().take(retry ? Line::unpin_retry : Line::unpin);
        // Pinned here again while it waited: a pin may take hours, so it needs a place of its own.
        if (const auto facts = parts_.facts.read(task->row.cid); facts && facts.value().mine) {
            const bool tried = facts.value().record.has_value();
            lines().push(tried ? line_of_retry(facts.value(), parts_.world.system_now(),
                                               parts_.queue.priority_rule())
                               : Line::fresh,
                         task);
            continue;
        }
        task->retry = retry;
        unpin_shares_.begin(retry);
        start(std::move(task));
    }
}

void PinWorkers::start_pins() {
    take_workers();
    auto may_start =
        pace_.allowed(parts_.world.steady_now(), parts_.pinset.work_added(), parts_.queue.size());
    for (;;) {
        const auto turn = shares_.turn(lines().untried_pins(), lines().pin_retries());
        if (turn == PinTurn::nobody) return;
        if (may_start == 0) {
            pace_ends_ = pace_.window_end();
            return;
        }
        std::size_t begun = 1;
        if (turn == PinTurn::untried)
            begun = start_untried(turn, may_start);
        else
            start_alone(turn, lines().next_retry());
        may_start -= begun;
        pace_.started(begun);
    }
}

/// One pin that was never tried, or several together. Returns how many, at most `may_start`.
std::size_t PinWorkers::start_untried(PinTurn turn, std::uint64_t may_start) {
    const auto share = handfuls_.next_size(lines().untried_size(), parts_.options.concurrent_pins);
    const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(share, may_start));
    TaskPtr odd;
    auto pins = choose(most, &odd);
    if (pins.size() < 2) {
        if (!pins.empty() && odd) lines().push(Line::alone, std::exchange(odd, nullptr));
        start_alone(turn, odd ? std::move(odd) : std::move(pins.front().task));
        return 1;
    }
    // It is the first of the next ones.
    if (odd) lines().push(Line::alone, std::move(odd));
    const auto begun = pins.size();
    start_together(std::move(pins));
    return begun;
}

/// The next pins that may be told together, and one that ends their row: it has to be told alone.
std::vector<HandfulPin> PinWorkers::choose(std::size_t most, TaskPtr* odd) {
    std::vector<HandfulPin> pins;
    while (pins.size() < most && lines().untried_pins()) {
        auto task = lines().next_untried();
        task->alone = task->alone || most < 2;
        if (!task->alone) {
            auto facts = parts_.facts.read(task->row.cid);
            task->alone = !facts || !fits_handful(facts.value()) ||
                          parts_.reconciler.may_be_held(task->row, *facts.value().pin);
            if (!task->alone) {
                // It may stand in another line, too, and is to be taken once.
                parts_.queue.runs(task);
                pins.push_back({std::move(task), std::move(facts).value()});
                continue;
            }
        }
        *odd = std::move(task);
        break;
    }
    return pins;
}

void PinWorkers::start_alone(PinTurn turn, TaskPtr task) {
    task->place = &shares_.begin(turn);
    start(std::move(task));
}

/// Attempts that have become slow give their workers to those that wait.
void PinWorkers::take_workers() {
    if (!lines().untried_pins() && !lines().pin_retries()) return;
    const auto now = parts_.world.steady_now();
    for (const auto* place : shares_.take_workers(now)) {
        const auto silence = now - *place->pace.moved_at();
        const auto task = parts_.queue.find_at(place);
        ICL_ASSERT(task != nullptr, "a place that is taken is a task's");
        task->interrupt =
            Error{Kind::timeout, "no progress for " + format_go_duration(silence) +
                                     "; given up as " + std::to_string(component::kSlowPinsMax) +
                                     " others wait without progress too"};
        task->interrupted.notify_all();
    }
}

void PinWorkers::start(TaskPtr task) {
    // Chosen for a handful that became one of it alone, it runs already.
    if (!task->running) parts_.queue.runs(task);
    parts_.tasks.spawn(work(std::move(task)));
}

/// They take one worker: the daemon does one after the other.
void PinWorkers::start_together(std::vector<HandfulPin> pins) {
    const auto now = parts_.world.system_now();
    for (const auto& [task, facts] : pins) {
        task->step = Step::pin;
        task->since = now;
        task->attempts = 1;
        task->progress = {};
    }
    parts_.tasks.spawn(work_together(std::move(pins), &shares_.begin(PinTurn::untried)));
}

/// A handful: all of it is told in one call, under one place. What does not end well with it is
/// marked `alone`, goes back to the front of the queue and is nobody's attempt; if writing fails or
/// the tracker stops, all rows stay and are read again after the next start.
asio::awaitable<void> PinWorkers::work_together(std::vector<HandfulPin> pins,
                                                PinShares::Place* place) {
    co_await asio::this_coro::throw_if_cancelled(false);
    std::vector<TaskPtr> all;
    for (const auto& pin : pins) all.push_back(pin.task);
    auto told = co_await handfuls_.tell(std::move(pins));
    if (!told && told.error().kind != Kind::cancelled)
        log()->error("work on pins told together stopped error=\"{}\"", told.error().text);
    for (const auto& task : all) {
        if (told && task->alone)
            parts_.queue.tell_alone(task);
        else
            parts_.queue.ended(task);
    }
    shares_.end(*place);
    parts_.wakeup.notify();
}

/// One task from its begin to its end, under a place of its own. Its row is gone by then, or due
/// again later; where that could not be written it stays, and is read again after the next start.
asio::awaitable<void> PinWorkers::work(TaskPtr task) {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto worked = co_await teller_.work_off(task);
    if (!worked && worked.error().kind != Kind::cancelled)
        log()->error("work on an item stopped cid={} error=\"{}\"", task->row.cid.to_string(),
                     worked.error().text);
    parts_.queue.ended(task);
    if (task->place != nullptr)
        shares_.end(*std::exchange(task->place, nullptr));
    else
        unpin_shares_.end(task->retry);
    parts_.wakeup.notify();
}

}  // namespace ipfscluster::tracker
