// The scheduler and the workers of the pin tracker.
#include "tracker/tracker.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/log.hpp"
#include "base/planted.hpp"
#include "runtime/join.hpp"
#include "tracker/tracker_impl.hpp"

namespace ipfscluster::tracker {

using storage::Family;
using Phase = TrackRecord::Phase;

namespace {

/// Pause before the queues are filled again for a row that came due meanwhile.
constexpr Duration kDueAgain = std::chrono::milliseconds(10);
/// The lines that are filled from the retry rows, one for each view.
constexpr std::array kRetryLines{Line::asked, Line::lost, Line::unpin_retry, Line::retry};

auto log() {
    return logger("pintracker");
}

std::uint64_t as_number(Time time) {
    return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

/// Which of two rows of one CID tells of the later decision. State numbers its rows in the order of
/// the log; a retry is older than any of them. The release of a kept copy has the number of the row
/// it comes after.
bool is_newer(const WorkRow& a, const WorkRow& b) {
    const auto rank = [](const WorkRow& r) {
        return std::pair(r.lane == WorkLane::retry ? 0 : r.number, r.lane == WorkLane::unpin);
    };
    return rank(a) > rank(b);
}

Async<> wait_interrupt(TaskPtr task) {
    while (!task->interrupt) {
        auto woken = co_await task->interrupted.wait();
        if (!woken) co_return fail(woken.error());
    }
    co_return ok();
}

}  // namespace

Tracker::Tracker(World& world, storage::Store& store, state::State& state,
                 component::IpfsConnector& ipfs, TrackerOptions options)
    : impl_(std::make_shared<Impl>(world, store, state, ipfs, std::move(options))) {}

Tracker::~Tracker() {
    impl_->pinset.on_work(nullptr);
}

Async<> Tracker::start() {
    auto impl = impl_;
    auto opened = impl->queue.open();
    if (!opened) co_return fail(opened.error().in("pin tracker"));
    impl->pinset.on_work([weak = std::weak_ptr(impl)] {
        if (const auto self = weak.lock()) {
            self->queue.rows_added();
            self->arrivals.came(self->world.system_now(), self->pinset.work_added());
            const auto kept = self->pinset.kept_added();
            if (std::exchange(self->kept_seen, kept) != kept) self->kept.wake();
            self->notify();
        }
    });
    impl->ipfs.on_daemon([weak = std::weak_ptr(impl)] {
        if (const auto self = weak.lock()) self->notify();
    });
    impl->arrivals.start(impl->pinset.work_added());
    impl->started = true;
    impl->tasks.spawn(impl->schedule());
    impl->tasks.spawn(impl->kept.run());
    co_return ok();
}

Async<> Tracker::stop() {
    auto impl = impl_;
    impl->pinset.on_work(nullptr);
    impl->ipfs.on_daemon(nullptr);
    auto stopped = co_await impl->tasks.stop();
    co_return stopped;
}

std::vector<Cid> Tracker::without_room_since(SteadyTime time) {
    return impl_->no_room.since(time);
}

std::uint64_t Tracker::queue_size() {
    return impl_->queue.size(impl_->pinset.work_added());
}

std::size_t Tracker::active() const {
    return impl_->active.size();
}

void Tracker::ask_holders_through(HolderQuestions questions) {
    impl_->kept.set_questions(std::move(questions));
}

std::size_t Tracker::slow_pins() const {
    return impl_->pin_shares.slow();
}

void Tracker::set_identity(TrackerIdentity identity) {
    impl_->identity = std::move(identity);
}

std::optional<component::PinProgress> Tracker::progress(const Cid& cid) const {
    const auto it = impl_->active.find(cid);
    if (it == impl_->active.end() || it->second->step != Step::pin) return std::nullopt;
    return it->second->progress;
}

void Tracker::Impl::notify() {
    wake_pending = true;
    wake.notify_all();
}

Result<std::optional<TrackRecord>> Tracker::Impl::read_record(const Cid& cid) {
    ICL_TRY(const auto row, store.get(Family::tracker, cid.bytes()));
    if (!row) return std::optional<TrackRecord>{};
    ICL_TRY(auto record, decode_record(*row));
    return std::optional<TrackRecord>(std::move(record));
}

Result<Facts> Tracker::Impl::read(const Cid& cid) {
    Facts facts;
    ICL_TRY(facts.pin, pinset.get(cid));
    if (facts.pin) seen_index = std::max(seen_index, facts.pin->modification_index);
    facts.mine = facts.pin && is_mine(facts.pin->pin, pinset.self());
    if (facts.pin && !facts.mine) {
        ICL_TRY(facts.kept, state::read_kept(store, cid));
    }
    ICL_TRY(facts.record, read_record(cid));
    return facts;
}

asio::awaitable<void> Tracker::Impl::schedule() {
    co_await asio::this_coro::throw_if_cancelled(false);
    while (!tasks.stopping()) {
        wake_pending = false;
        auto filled = fill();
        if (!filled)
            log()->error("reading the work queue failed error=\"{}\"", filled.error().text);
        start_tasks();
        auto paused = co_await pause();
        if (!paused && paused.error().kind == Kind::cancelled) co_return;
    }
}

/// Waits until there may be something to do: a new row, a free worker, a retry that is due.
Async<> Tracker::Impl::pause() {
    if (wake_pending) {
        // Lets others run between two rounds of a long queue.
        const auto before = world.steady_now();
        co_await asio::post(asio::use_awaitable);
        const auto now = world.steady_now();
        pace.turn_took(now, now - before);
        co_return ok();
    }
    std::optional<SteadyTime> until;
    const auto steady = world.steady_now();
    if (pace_ends) until = *pace_ends;
    // Somebody waits for the worker that it will give away.
    const bool pins_wait = lines.untried_pins() || lines.pin_retries();
    const auto slow = pins_wait ? pin_shares.next_slow(steady) : std::nullopt;
    if (slow && (!until || *slow < *until)) until = *slow;
    const auto due = next_due();
    if (due && (!until || *due < *until)) until = *due;
    if (!until) {
        auto woken = co_await wake.wait();
        co_return woken;
    }
    auto woken = co_await with_deadline<void>(world, *until - steady, "work", wake.wait());
    co_return woken;
}

/// When a row of one that failed comes due.
std::optional<SteadyTime> Tracker::Impl::next_due() const {
    std::optional<SteadyTime> first;
    const auto steady = world.steady_now();
    const auto now = as_number(world.system_now());
    for (const auto line : kRetryLines) {
        const auto next = queue.peek(view_for(line));
        if (!next) continue;
        const auto wait = *next > now ? *next - now : 0;
        // A due row that found no room waits for a worker, not for the clock; with room, it came
        // due since the lines were filled.
        if (wait == 0 && room_for(line) == 0) continue;
        const auto at = steady + (wait > 0 ? Duration(wait) : kDueAgain);
        if (!first || at < *first) first = at;
    }
    return first;
}

Result<> Tracker::Impl::fill() {
    ICL_TRY(fill_unpins());
    ICL_TRY(fill_pins());
    ICL_TRY(fill_older());
    ICL_TRY(fill_retries());
    const auto size = queue.size(pinset.work_added());
    const bool too_long = size > static_cast<std::uint64_t>(options.max_pin_queue_size);
    if (too_long && !queue_warned)
        log()->warn("the queue is longer than max_pin_queue_size; it waits on disk queued={}",
                    size);
    queue_warned = too_long;
    return ok();
}

Result<> Tracker::Impl::fill_unpins() {
    ICL_TRY(auto rows, queue.take(WorkView::unpins, UINT64_MAX, lines.room({Line::unpin})));
    wake_pending = wake_pending || !rows.empty();
    for (auto& row : rows) {
        ICL_TRY(admit(std::move(row), Line::unpin));
    }
    return ok();
}

/// New pins: the fresh ones queue up, the old ones (an import, a move) step back behind them.
Result<> Tracker::Impl::fill_pins() {
    const auto now = world.system_now();
    ICL_TRY(auto rows, queue.take(WorkView::pins, UINT64_MAX, lines.room({Line::fresh})));
    wake_pending = wake_pending || !rows.empty();
    Batch batch;
    for (auto& row : rows) {
        ICL_TRY(const auto pin, pinset.get(row.cid));
        if (pin) seen_index = std::max(seen_index, pin->modification_index);
        const bool old = pin && !is_priority(pin->pin, 0, now, priority_rule());
        if (!old || active.contains(row.cid)) {
            ICL_TRY(admit(std::move(row), Line::fresh));
            continue;
        }
        queue.remove(batch, row);
        row.lane = WorkLane::later;
        queue.add(batch, row);
    }
    return batch.empty() ? ok() : queue.write(std::move(batch));
}

Result<> Tracker::Impl::fill_older() {
    ICL_TRY(auto rows, queue.take(WorkView::older, UINT64_MAX, lines.room({Line::older})));
    for (auto& row : rows) {
        ICL_TRY(admit(std::move(row), Line::older));
    }
    return ok();
}

/// Rows that may be read for a line of what failed; both lines of pins are read at once.
std::size_t Tracker::Impl::room_for(Line line) const {
    return line == Line::retry ? lines.room({Line::fresh_retry, Line::retry}) : lines.room({line});
}

/// What is due again. Each view meets the rows of the others, too, and leaves them to those that
/// have not met them yet: what a row is may have changed since. What a task has to do it finds out
/// when it runs.
Result<> Tracker::Impl::fill_retries() {
    const auto now = world.system_now();
    for (const auto line : kRetryLines) {
        const auto view = view_for(line);
        ICL_TRY(auto rows, queue.take(view, as_number(now), room_for(line)));
        wake_pending = wake_pending || !rows.empty();
        for (auto& row : rows) {
            ICL_TRY(const auto facts, read(row.cid));
            const auto into = view == WorkView::asked ? line_of_asked(facts)
                                                      : line_of_retry(facts, now, priority_rule());
            const auto other = view_for(into);
            const bool left = view != WorkView::asked && other != view;
            if (left && !queue.was_met(other, row)) continue;
            ICL_TRY(admit(std::move(row), into));
        }
    }
    return ok();
}

/// A full line must not grow by what is asked for, however much that is.
Line Tracker::Impl::line_of_asked(const Facts& facts) const {
    const bool unpin = !facts.mine && lines.size(Line::unpin_retry) < kTrackerBatchMax;
    return unpin ? Line::unpin_retry : Line::asked;
}

Result<> Tracker::Impl::admit(WorkRow row, Line into) {
    if (const auto it = active.find(row.cid); it != active.end()) {
        const auto task = it->second;
        // A newer wish may overtake: the task stands in two lines, whoever takes it first runs it.
        const bool overtakes = into == Line::unpin || into == Line::fresh;
        if (overtakes && !task->running) lines.push(into, task);
        return merge(task, std::move(row));
    }
    auto cid = row.cid;
    auto task = std::make_shared<Task>(world.executor(), std::move(row));
    task->since = world.system_now();
    active.emplace(std::move(cid), task);
    lines.push(into, std::move(task));
    return ok();
}

/// Two rows of one CID are one task: it reads the pinset when it runs and again when it ends. Only
/// the newer row stays, so that after a crash the one that is left asks for the right thing.
Result<> Tracker::Impl::merge(const TaskPtr& task, WorkRow row) {
    if (row == task->row) return ok();
    Batch batch;
    const bool newer = is_newer(row, task->row);
    if (newer) std::swap(task->row, row);
    // A retry row belongs to its record, which is written when the task ends.
    if (row.lane != WorkLane::retry) {
        queue.remove(batch, row);
        ICL_TRY(queue.write(std::move(batch)));
    }
    if (task->running && newer && task->step == Step::pin) {
        ICL_TRY(const auto facts, read(task->row.cid));
        if (!facts.mine) {
            task->interrupt = Error{Kind::cancelled, "the item was unpinned meanwhile"};
            task->interrupted.notify_all();
        }
    }
    return ok();
}

/// Nothing is begun while the daemon is away; the connector tells when it is back.
void Tracker::Impl::start_tasks() {
    pace_ends.reset();
    const auto daemon = ipfs.daemon();
    if (!daemon.available) return;
    pin_shares.allow(daemon.pins_at_once);
    if (many_pins_wait() && !reconciling) start_reconcile(true);  // its end wakes us
    start_unpins();
    if (many_pins_wait() || (reconciling && reconciling->pins_wait)) return;
    start_pins();
}

void Tracker::Impl::start_unpins() {
    for (;;) {
        const auto turn =
            unpin_shares.turn(lines.any({Line::unpin}), lines.any({Line::unpin_retry}));
        if (turn == PinTurn::nobody) return;
        const bool retry = turn == PinTurn::retry;
        auto task = lines.take(retry ? Line::unpin_retry : Line::unpin);
        // Pinned here again while it waited: a pin may take hours, so it needs a place of its own.
        if (const auto facts = read(task->row.cid); facts && facts.value().mine) {
            const bool tried = facts.value().record.has_value();
            lines.push(tried ? line_of_retry(facts.value(), world.system_now(), priority_rule())
                             : Line::fresh,
                       task);
            continue;
        }
        task->retry = retry;
        unpin_shares.begin(retry);
        start(std::move(task));
    }
}

void Tracker::Impl::start_pins() {
    take_workers();
    auto may_start =
        pace.allowed(world.steady_now(), pinset.work_added(), queue.size(pinset.work_added()));
    for (;;) {
        const auto turn = pin_shares.turn(lines.untried_pins(), lines.pin_retries());
        if (turn == PinTurn::nobody) return;
        if (may_start == 0) {
            pace_ends = pace.window_end();
            return;
        }
        std::size_t begun = 1;
        if (turn == PinTurn::untried)
            begun = start_untried(turn, may_start);
        else
            start_alone(turn, lines.next_retry());
        may_start -= begun;
        pace.started(begun);
    }
}

/// One pin that was never tried, or several together. Returns how many, at most `may_start`.
std::size_t Tracker::Impl::start_untried(PinTurn turn, std::uint64_t may_start) {
    const auto share = handfuls.next_size(lines.untried_size(), options.concurrent_pins);
    const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(share, may_start));
    TaskPtr odd;
    auto pins = choose(most, &odd);
    if (pins.size() < 2) {
        if (!pins.empty() && odd) lines.push(Line::alone, std::exchange(odd, nullptr));
        start_alone(turn, odd ? std::move(odd) : std::move(pins.front().task));
        return 1;
    }
    // It is the first of the next ones.
    if (odd) lines.push(Line::alone, std::move(odd));
    const auto begun = pins.size();
    start_together(std::move(pins));
    return begun;
}

/// The next pins that may be told together, and one that ends their row: it has to be told alone.
std::vector<HandfulPin> Tracker::Impl::choose(std::size_t most, TaskPtr* odd) {
    std::vector<HandfulPin> pins;
    while (pins.size() < most && lines.untried_pins()) {
        auto task = lines.next_untried();
        task->alone = task->alone || most < 2;
        if (!task->alone) {
            auto facts = read(task->row.cid);
            task->alone = !facts || !fits_handful(facts.value()) ||
                          may_be_held(task->row, *facts.value().pin);
            if (!task->alone) {
                // It may stand in another line, too, and is to be taken once.
                task->running = true;
                pins.push_back({std::move(task), std::move(facts).value()});
                continue;
            }
        }
        *odd = std::move(task);
        break;
    }
    return pins;
}

void Tracker::Impl::start_alone(PinTurn turn, TaskPtr task) {
    task->place = &pin_shares.begin(turn);
    start(std::move(task));
}

/// Attempts that have become slow give their workers to those that wait.
void Tracker::Impl::take_workers() {
    if (!lines.untried_pins() && !lines.pin_retries()) return;
    const auto now = world.steady_now();
    for (const auto* place : pin_shares.take_workers(now)) {
        const auto silence = now - *place->pace.moved_at();
        for (auto& [cid, task] : active) {
            if (task->place != place) continue;
            task->interrupt = Error{
                Kind::timeout, "no progress for " + format_go_duration(silence) + "; given up as " +
                                   std::to_string(component::kSlowPinsMax) +
                                   " others wait without progress too"};
            task->interrupted.notify_all();
            break;
        }
    }
}

void Tracker::Impl::start(TaskPtr task) {
    task->running = true;
    tasks.spawn(work(std::move(task)));
}

/// They take one worker: the daemon does one after the other.
void Tracker::Impl::start_together(std::vector<HandfulPin> pins) {
    const auto now = world.system_now();
    for (const auto& [task, facts] : pins) {
        task->running = true;
        task->step = Step::pin;
        task->since = now;
        task->attempts = 1;
        task->progress = {};
    }
    tasks.spawn(work_together(std::move(pins), &pin_shares.begin(PinTurn::untried)));
}

asio::awaitable<void> Tracker::Impl::work_together(std::vector<HandfulPin> pins,
                                                   PinShares::Place* place) {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto self = shared_from_this();
    std::vector<TaskPtr> all;
    for (const auto& pin : pins) all.push_back(pin.task);
    auto told = co_await handfuls.tell(std::move(pins));
    if (!told && told.error().kind != Kind::cancelled)
        log()->error("work on pins told together stopped error=\"{}\"", told.error().text);
    for (auto& task : all) {
        if (told && task->alone) {
            task->running = false;
            lines.push(Line::alone, std::move(task));
        } else {
            // It goes on counting as one that has run: it may stand in another line as well.
            active.erase(task->row.cid);
        }
    }
    pin_shares.end(*place);
    notify();
}

asio::awaitable<void> Tracker::Impl::work(TaskPtr task) {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto self = shared_from_this();
    auto worked = co_await work_off(task);
    if (!worked && worked.error().kind != Kind::cancelled)
        log()->error("work on an item stopped cid={} error=\"{}\"", task->row.cid.to_string(),
                     worked.error().text);
    active.erase(task->row.cid);
    if (task->place != nullptr)
        pin_shares.end(*std::exchange(task->place, nullptr));
    else
        unpin_shares.end(task->retry);
    notify();
}

/// Tells the daemon what the pinset says until both agree or the daemon refuses.
Async<> Tracker::Impl::work_off(TaskPtr task) {
    for (;;) {
        ICL_CO_TRY(auto facts, read(task->row.cid));
        task->step = plan_step(facts, task->row.lane);
        task->since = world.system_now();
        task->interrupt.reset();
        task->progress = {};
        if (task->place != nullptr) pin_shares.again(*task->place);
        if (task->step == Step::nothing) co_return finish(task, facts, ok());
        if (task->step == Step::pin && facts.pin->modification_index > durable_index) {
            ICL_CO_TRY(co_await make_durable(facts.pin->modification_index));
            ICL_CO_TRY(const auto now, read(task->row.cid));
            if (has_moved_on(facts, now)) continue;
        }
        const auto failed_before = task->step == Step::pin ? Phase::pin_error : Phase::unpin_error;
        task->attempts =
            1 + (facts.record && facts.record->phase == failed_before ? facts.record->attempts : 0);
        const auto begun = world.steady_now();
        auto told = co_await tell_daemon(task, facts);
        if (told && task->step == Step::pin) handfuls.told_alone(world.steady_now() - begun);
        // The rows stay: the next start takes them up again.
        if (tasks.stopping()) co_return fail(Kind::cancelled, "the tracker stops");
        ICL_CO_TRY(auto after, read(task->row.cid));
        // It was given to others meanwhile, who may not have it: it is whole here.
        if (told && task->step == Step::pin && after.kept) {
            ICL_CO_TRY(record_whole(task->row.cid, after));
        }
        if (has_moved_on(facts, after)) continue;
        co_return finish(task, after, std::move(told));
    }
}

Result<> Tracker::Impl::record_whole(const Cid& cid, Facts& facts) {
    Batch batch;
    ICL_TRY(record_finding(batch, cid, facts, Finding::pinned));
    return queue.write(std::move(batch));
}

/// A pin is told only once the operation that asked for it is on our disk. Else a power cut could
/// take that back, a snapshot could lead past it, and the daemon would keep what no row, old or
/// new, ever asks to remove. (An unpin told too early is repeated or overruled by what comes back.)
/// One sync serves all who wait and everything looked ahead.
Async<> Tracker::Impl::make_durable(std::uint64_t modification_index) {
    auto self = shared_from_this();
    while (durable_index < modification_index && !planted(Bug::told_before_durable)) {
        if (syncing) {
            auto woken = co_await synced.wait();
            if (!woken) co_return fail(woken.error());
            continue;
        }
        syncing = true;
        const auto reached = seen_index;
        auto done = co_await store.sync();
        syncing = false;
        if (done) durable_index = std::max(durable_index, reached);
        synced.notify_all();
        if (!done) co_return fail(done.error());
    }
    co_return ok();
}

/// Whether the daemon may hold a pin that comes here for the first time, as one of an import may
/// be: unless a list has shown that it does not.
bool Tracker::Impl::may_be_held(const WorkRow& row, const state::StoredPin& pin) const {
    if (row.lane != WorkLane::pin && row.lane != WorkLane::later) return false;
    if (pin.modification_index <= index_compared) return false;
    const auto came = arrivals.arrival(row.number);
    return !came || pin.pin.timestamp + kFreshAge < *came;
}

/// Of what was tried before nobody knows how that ended.
component::Held Tracker::Impl::known(const WorkRow& row, const state::StoredPin& pin) const {
    const bool first = row.lane == WorkLane::pin || row.lane == WorkLane::later;
    return first && !may_be_held(row, pin) ? component::Held::no : component::Held::unknown;
}

Async<> Tracker::Impl::tell_daemon(TaskPtr task, Facts facts) {
    using namespace asio::experimental::awaitable_operators;
    if (task->step == Step::unpin) {
        auto done = co_await ipfs.unpin(task->row.cid);
        co_return done;
    }
    // Kubo may report after the call ended, so the handler holds the task.
    component::ProgressHandler progress = [task, &clock = world](component::PinProgress p) {
        task->progress = p;
        if (task->place != nullptr) task->place->pace.moved(clock.steady_now());
    };
    ICL_CO_TRY(co_await check_cancelled());
    component::PinRequest request(facts.pin->pin, known(task->row, *facts.pin));
    auto pinning = ipfs.pin(std::move(request), std::move(progress));
    auto first = co_await (detail::as_optional<void>(std::move(pinning)) ||
                           detail::as_optional<void>(wait_interrupt(task)));
    if (first.index() == 0) co_return std::move(*std::get<0>(first));
    if (task->interrupt) co_return fail(*task->interrupt);
    co_return fail(Kind::cancelled, "the tracker stops");
}

/// One write: what came of the task, and its row gone (or due again later).
Result<> Tracker::Impl::finish(const TaskPtr& task, const Facts& facts, Result<> outcome) {
    Batch batch;
    settle(batch, task, facts, std::move(outcome));
    return queue.write(std::move(batch));
}

void Tracker::Impl::settle(Batch& batch, const TaskPtr& task, const Facts& facts,
                           Result<> outcome) {
    const auto& cid = task->row.cid;
    const auto now = world.system_now();
    // What every peer holds cannot be given to others.
    if (task->step == Step::pin && !outcome && outcome.error().kind == Kind::disk_full &&
        facts.mine && !facts.pin->pin.everywhere())
        no_room.failed(cid, world.steady_now());
    else
        no_room.ended(cid);
    queue.remove(batch, task->row);
    const auto& old = facts.record;
    if (old && old->next_retry != kTimeUnset) {
        const WorkRow retry{WorkLane::retry, as_number(old->next_retry), cid};
        if (!(retry == task->row)) queue.remove(batch, retry);
    }
    TrackRecord record;
    record.since = now;
    record.modification_index = facts.mine ? facts.pin->modification_index : 0;
    if (!outcome) {
        record.phase = task->step == Step::pin ? Phase::pin_error : Phase::unpin_error;
        record.attempts = task->attempts;
        record.error = shorten(outcome.error().text);
        // The first attempt that an outage ended is made good as soon as that is over; the next
        // ones wait, as it may be this item that the daemon dies of.
        const bool outage = outcome.error().kind == Kind::unavailable && !ipfs.daemon().available;
        record.next_retry = now + retry_delay(outage ? task->attempts - 1 : task->attempts,
                                              options.retry_delay_first, options.retry_delay_max);
        queue.add(batch, {WorkLane::retry, as_number(record.next_retry), cid});
        batch.put(Family::tracker, cid.bytes(), encode(record));
        log()->warn("{} failed cid={} attempt={} error=\"{}\"",
                    task->step == Step::pin ? "pinning" : "unpinning", cid.to_string(),
                    task->attempts, outcome.error().text);
    } else if (task->step == Step::pin) {
        record.size_bytes = task->progress.bytes;
        batch.put(Family::tracker, cid.bytes(), encode(record));
    } else if (task->step == Step::unpin) {
        batch.del(Family::tracker, cid.bytes());
    } else if (old && old->next_retry != kTimeUnset) {
        auto settled = *old;
        settled.next_retry = kTimeUnset;
        batch.put(Family::tracker, cid.bytes(), encode(settled));
    }
}

}  // namespace ipfscluster::tracker
