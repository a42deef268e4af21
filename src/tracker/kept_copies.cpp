#include "tracker/kept_copies.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/log.hpp"
#include "runtime/join.hpp"

namespace ipfscluster::tracker {

using storage::Family;

namespace {

auto log() {
    return logger("pintracker");
}

/// The copy is kept for the same pin as when `before` was read, and nothing else has happened.
bool still_so(const Facts& before, const Facts& now) {
    return now.kept == before.kept && now.record == before.record && now.mine == before.mine &&
           now.pin.has_value() == before.pin.has_value() &&
           (!now.pin || now.pin->modification_index == before.pin->modification_index);
}

}  // namespace

KeptCopies::KeptCopies(Parts parts)
    : parts_(std::move(parts)), woken_(parts_.world.executor()), delay_(parts_.ask_first) {}

void KeptCopies::wake() {
    wake_pending_ = true;
    woken_.notify_all();
}

asio::awaitable<void> KeptCopies::run() {
    co_await asio::this_coro::throw_if_cancelled(false);
    while (true) {
        wake_pending_ = false;
        Walk met;
        const auto began = parts_.world.steady_now();
        auto walked = co_await walk(&met);
        if (!walked && walked.error().kind == Kind::cancelled) co_return;
        if (!walked)
            log()->error("looking at kept copies failed error=\"{}\"", walked.error().text);
        if (met.settled > 0)
            log()->info("kept copies were let go released={} left={}", met.settled, met.left);
        if (!walked) ++met.left;  // at least what it did not come to
        auto waited = co_await wait(met, began);
        if (!waited) co_return;
    }
}

/// Until the next walk is due. New copies are not waited for longer than the last walk took.
Async<> KeptCopies::wait(Walk met, SteadyTime began) {
    auto& world = parts_.world;
    const auto ended = world.steady_now();
    if (met.settled > 0) delay_ = parts_.ask_first;
    while (true) {
        // A cancellation between two waits is not felt by the next one.
        ICL_CO_TRY(co_await check_cancelled());
        if (wake_pending_) break;
        if (met.left == 0) {
            ICL_CO_TRY(co_await woken_.wait());
            continue;
        }
        auto woken = co_await with_deadline<void>(world, delay_, "kept copies", woken_.wait());
        if (woken) continue;
        if (woken.error().kind != Kind::timeout) co_return woken;
        delay_ = std::min(2 * delay_, parts_.ask_max);
        co_return ok();
    }
    delay_ = parts_.ask_first;
    const auto pause = std::max<Duration>(parts_.ask_first, ended - began);
    if (const auto due = ended + pause; met.left > 0 && due > world.steady_now()) {
        ICL_CO_TRY(co_await world.sleep_until(due));
    }
    co_return ok();
}

Async<> KeptCopies::walk(Walk* met) {
    Cid after;
    while (true) {
        Batch batch;
        {
            state::KeptRows rows(parts_.store, after);
            while (batch.rows.size() < kKeptBatchMax) {
                ICL_CO_TRY(auto row, rows.next());
                if (!row) break;
                batch.rows.push_back(std::move(*row));
            }
        }
        if (batch.rows.empty()) co_return ok();
        after = batch.rows.back().cid;
        ICL_CO_TRY(co_await settle_batch(&batch, met));
        co_await asio::post(asio::use_awaitable);
        ICL_CO_TRY(co_await check_cancelled());
    }
}

Async<> KeptCopies::settle_batch(Batch* batch, Walk* met) {
    co_await asio::this_coro::throw_if_cancelled(false);
    TaskGroup tasks(parts_.world, "kept copies");
    for (std::size_t i = 0; i < std::min(kKeptAsksMax, batch->rows.size()); ++i)
        tasks.spawn(settle_some(batch, met));
    auto drained = co_await tasks.drain();
    co_await join(tasks);
    if (!drained) co_return drained;
    if (met->failure) co_return fail(*met->failure);
    co_return ok();
}

asio::awaitable<void> KeptCopies::settle_some(Batch* batch, Walk* met) {
    co_await asio::this_coro::throw_if_cancelled(false);
    while (batch->next < batch->rows.size() && !met->failure) {
        const auto cid = batch->rows[batch->next++].cid;
        auto settled = co_await settle(cid, met);
        if (!settled) met->failure = settled.error();
        ++(settled && settled.value() ? met->settled : met->left);
    }
}

Result<Facts> KeptCopies::read(const Cid& cid) {
    ICL_TRY(auto facts, parts_.facts.read(cid));
    ICL_TRY(facts.kept, state::read_kept(parts_.store, cid));
    // A damaged row says more than the pin asks for.
    if (facts.kept && facts.pin)
        facts.kept->depth = state::smaller_depth(facts.kept->depth, facts.pin->pin.max_depth);
    return facts;
}

Async<bool> KeptCopies::settle(Cid cid, Walk* met) {
    ICL_CO_TRY(auto facts, read(cid));
    switch (plan_kept(facts)) {
        case KeptStep::nothing:
            co_return true;
        case KeptStep::forget: {
            storage::Batch batch;
            batch.del(Family::work, state::kept_key(cid));
            ICL_CO_TRY(parts_.store.write(std::move(batch)));
            co_return true;
        }
        case KeptStep::release:
            co_return release(cid, false);
        case KeptStep::find_out:
            break;
        case KeptStep::ask:
            co_return co_await ask(std::move(cid), std::move(facts), met);
    }
    co_return co_await find_out(std::move(cid), std::move(facts), met);
}

/// No record says that the copy is whole: the pin failed, or its turn had not come when the peer
/// died. After an add all of it may be there all the same, and nowhere else.
Async<bool> KeptCopies::find_out(Cid cid, Facts facts, Walk* met) {
    auto pin = facts.pin->pin;
    pin.max_depth = facts.kept->depth;
    auto whole = co_await parts_.ipfs.hold_if_whole(std::move(pin));
    ICL_CO_TRY(co_await check_cancelled());
    ICL_CO_TRY(auto now, read(cid));
    if (!whole || !still_so(facts, now)) co_return false;
    if (!whole.value()) co_return release(cid, false);
    ICL_CO_TRY(parts_.outcomes.record_whole(cid, now));
    co_return co_await ask(std::move(cid), std::move(now), met);
}

Async<bool> KeptCopies::ask(Cid cid, Facts facts, Walk* met) {
    if (!questions_.status) co_return false;
    const auto& pin = facts.pin->pin;
    auto members = questions_.members();
    if (pin.everywhere() && questions_.holds_all)
        std::erase_if(members, [&](const PeerId& peer) { return !questions_.holds_all(peer); });
    auto question = plan_question(pin, parts_.pinset.self(), members, questions_.alive);
    std::erase_if(question.holders, [&](const PeerId& peer) { return met->silent.contains(peer); });
    std::size_t have = 0;
    for (std::size_t i = 0; i < question.holders.size() && have < question.needed; ++i) {
        if (have + question.holders.size() - i < question.needed) break;
        const auto& peer = question.holders[i];
        auto answer = co_await questions_.status(peer, cid);
        ICL_CO_TRY(co_await check_cancelled());
        if (!answer) met->silent.insert(peer);
        if (answer && confirms(answer.value(), pin, facts.kept->depth)) ++have;
    }
    if (have < question.needed) co_return false;
    // From here to the write nothing waits.
    ICL_CO_TRY(const auto now, read(cid));
    if (!still_so(facts, now)) co_return false;
    log()->debug("others have it, the copy kept for them goes cid={}", cid.to_string());
    co_return release(cid, true);
}

/// The unpin row takes the number of the newest row: it is later than what asked for this copy, and
/// earlier than whatever asks for it again.
Result<bool> KeptCopies::release(const Cid& cid, bool moved) {
    storage::Batch batch;
    batch.del(Family::work, state::kept_key(cid));
    if (moved) parts_.pinset.count_moved(batch);
    const WorkRow row{WorkLane::unpin, parts_.pinset.work_added(), cid};
    ICL_TRY(const auto there, parts_.store.get(Family::work, state::work_key(row)));
    if (!there) parts_.rows.add(batch, row);
    ICL_TRY(parts_.rows.write(std::move(batch)));
    parts_.wakeup.notify();
    return true;
}

}  // namespace ipfscluster::tracker
