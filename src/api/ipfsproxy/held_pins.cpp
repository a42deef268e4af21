#include "api/ipfsproxy/held_pins.hpp"

#include "api/ipfsproxy/pin_judge.hpp"
#include "api/ipfsproxy/replies.hpp"

namespace ipfscluster::ipfsproxy {

Async<GlobalPinInfo> HeldPins::reports_of(Cid cid) {
    // Rows of what has left the pinset stand between those of pins.
    while (!status_ended_ && (!row_ || row_->cid < cid)) {
        ICL_CO_TRY(row_, co_await status_->next());
        status_ended_ = !row_;
    }
    if (!row_ || row_->cid != cid) co_return GlobalPinInfo{};
    co_return std::move(*std::exchange(row_, std::nullopt));
}

Async<std::optional<Pin>> HeldPins::next() {
    while (true) {
        ICL_CO_TRY(auto pin, co_await pins_->next());
        if (!pin) break;
        if (++given_ % kRowsPerTurn == 0) {
            ICL_CO_TRY(co_await take_turn());
        }
        ICL_CO_TRY(const auto reports, co_await reports_of(pin->cid));
        if (judge_pin(*pin, reports).maybe_held) co_return pin;
    }
    // A status list says at its end that a peer fell silent in the middle.
    while (!status_ended_) {
        ICL_CO_TRY(row_, co_await status_->next());
        status_ended_ = !row_;
    }
    co_return std::optional<Pin>{};
}

}  // namespace ipfscluster::ipfsproxy
