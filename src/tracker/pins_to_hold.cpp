#include "tracker/pins_to_hold.hpp"

#include "state/kept.hpp"

namespace ipfscluster::tracker {
namespace {

class PinsToHold final : public Source<Pin> {
 public:
    PinsToHold(state::State& pinset, storage::Store& store)
        : holding_(pinset.holding()), pins_(pinset.list()), kept_rows_(store) {}

    Async<std::optional<Pin>> next() override {
        if (!primed_) {
            ICL_CO_TRY(kept_, kept_rows_.next());
            primed_ = true;
        }
        while (true) {
            ICL_CO_TRY(auto row, co_await pins_->next());
            if (!row) co_return std::optional<Pin>{};
            auto& pin = row->pin;
            if (holding_.holds(pin)) co_return std::optional<Pin>(std::move(pin));
            while (kept_ && kept_->cid.bytes() < pin.cid.bytes()) {
                ICL_CO_TRY(kept_, kept_rows_.next());
            }
            if (!kept_ || kept_->cid != pin.cid) continue;
            pin.max_depth = kept_->depth;
            co_return std::optional<Pin>(std::move(pin));
        }
    }

 private:
    state::Holding holding_;
    SourcePtr<state::StoredPin> pins_;
    state::KeptRows kept_rows_;
    std::optional<state::KeptCopy> kept_;
    bool primed_ = false;
};

}  // namespace

SourcePtr<Pin> pins_to_hold(state::State& pinset, storage::Store& store) {
    return std::make_unique<PinsToHold>(pinset, store);
}

}  // namespace ipfscluster::tracker
