#include "tracker/handfuls.hpp"

#include "base/log.hpp"

namespace ipfscluster::tracker {

std::size_t Handfuls::next_size(std::size_t waiting, int workers) const {
    const auto share = waiting / static_cast<std::size_t>(std::max(workers, 1));
    return std::clamp<std::size_t>(share, 1, size_.most());
}

Result<bool> Handfuls::has_changed(const HandfulPin& pin) {
    Facts now;
    ICL_TRY(now.pin, parts_.pinset.get(pin.task->row.cid));
    now.mine = now.pin && parts_.pinset.holding().holds(now.pin->pin);
    return has_moved_on(pin.facts, now);
}

/// Takes out what is not what was chosen any more.
Result<> Handfuls::leave_changed(std::vector<HandfulPin>& pins) {
    for (auto& pin : pins) {
        ICL_TRY(pin.task->alone, has_changed(pin));
    }
    std::erase_if(pins, [](const HandfulPin& pin) { return pin.task->alone; });
    return ok();
}

Async<> Handfuls::tell(std::vector<HandfulPin> pins) {
    std::uint64_t newest = 0;
    for (const auto& pin : pins) newest = std::max(newest, pin.facts.pin->modification_index);
    if (!parts_.durable.covers(newest)) {
        ICL_CO_TRY(co_await parts_.durable.reach(newest));
        ICL_CO_TRY(leave_changed(pins));
        if (pins.empty()) co_return ok();
    }
    std::vector<Cid> cids;
    cids.reserve(pins.size());
    for (const auto& pin : pins) cids.push_back(pin.task->row.cid);
    const auto begun = parts_.world.steady_now();
    auto told = co_await parts_.ipfs.pin_together(std::move(cids), kTogetherLimit);
    if (!told && told.error().kind == Kind::cancelled) co_return fail(told.error());
    if (told) {
        size_.ended_well(pins.size(), parts_.world.steady_now() - begun);
        ICL_CO_TRY(record(std::move(pins)));
        co_return ok();
    }
    size_.ended_badly();
    logger("pintracker")
        ->debug("pins told together are told one by one pins={} error=\"{}\"", pins.size(),
                told.error().text);
    for (const auto& pin : pins) pin.task->alone = true;
    co_return ok();
}

/// The daemon holds all of them.
Result<> Handfuls::record(std::vector<HandfulPin> pins) {
    storage::Batch batch;
    for (const auto& pin : pins) {
        const auto& task = pin.task;
        ICL_TRY(task->alone, has_changed(pin));
        if (!task->alone) {
            parts_.outcomes.settle(batch, task, pin.facts, ok());
            continue;
        }
        // If it was given to others meanwhile, who may not have it: it is whole here.
        ICL_TRY(auto now, parts_.facts.read(task->row.cid));
        if (now.kept) {
            ICL_TRY(parts_.outcomes.record_whole(task->row.cid, now));
        }
    }
    return batch.empty() ? ok() : parts_.rows.write(std::move(batch));
}

}  // namespace ipfscluster::tracker
