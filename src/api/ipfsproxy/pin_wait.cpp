#include "api/ipfsproxy/pin_wait.hpp"

#include <algorithm>

#include "api/ipfsproxy/replies.hpp"

namespace ipfscluster::ipfsproxy {

ProgressLines::ProgressLines(World& world, http::Exchange& e, bool wanted)
    : world_(world), exchange_(e), wanted_(wanted), next_(world.steady_now() + kProgressInterval) {}

void ProgressLines::note(const PinVerdict& verdict) {
    working_ = verdict.state == PinVerdict::State::working;
    blocks_ = std::max(blocks_, verdict.fetched_blocks);
    bytes_ = std::max(bytes_, verdict.fetched_bytes);
}

Async<> ProgressLines::tick() {
    if (!wanted_ || world_.steady_now() < next_) co_return ok();
    next_ = world_.steady_now() + kProgressInterval;
    if (!exchange_.started()) start_rows(exchange_);
    shown_ = std::max(shown_ + (working_ ? 1 : 0), blocks_);
    std::string line;
    {
        // As Kubo, which leaves a zero out.
        codec::JsonObject object(line);
        if (shown_ > 0) object.put("Progress", shown_);
        if (bytes_ > 0) object.put("Bytes", bytes_);
    }
    ICL_CO_TRY(co_await exchange_.write(line + "\n"));
    co_return co_await exchange_.flush();
}

Async<> wait_until_held(Deps deps, Cid cid, ProgressLines& lines) {
    using State = PinVerdict::State;
    auto busy_at = deps.world.steady_now();
    Duration pause = kLookFirst;
    for (bool first = true;; first = false) {
        auto pin = deps.cluster.pin_get(cid);
        if (!pin) co_return fail(pin.error().in("while waiting for " + cid.to_string()));
        ICL_CO_TRY(auto status, co_await deps.cluster.status(cid));
        const auto verdict = judge_pin(pin.value(), status);
        if (verdict.state == State::held) co_return ok();
        if (verdict.state == State::failed && !first)
            co_return fail(Kind::unavailable, "pin " + cid.to_string() + ": " + verdict.why);
        if (verdict.state == State::failed) {
            // An old failure: Kubo would try again, so this does.
            auto again = co_await deps.cluster.recover(cid);
            if (!again) co_return fail(again.error());
        }
        lines.note(verdict);
        if (verdict.state == State::working) {
            busy_at = deps.world.steady_now();
        } else if (deps.world.steady_now() - busy_at > kNobodyLimit) {
            co_return fail(Kind::timeout,
                           "pin " + cid.to_string() +
                               ": no peer that shall hold it is at work; it stays in the pinset");
        }
        const auto longest = lines.wanted() ? std::min(kProgressInterval, kLookLast) : kLookLast;
        ICL_CO_TRY(co_await deps.world.sleep_for(pause));
        pause = std::min(pause * 2, longest);
        ICL_CO_TRY(co_await lines.tick());
    }
}

}  // namespace ipfscluster::ipfsproxy
