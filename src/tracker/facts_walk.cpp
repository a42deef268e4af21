#include "tracker/facts_walk.hpp"

namespace ipfscluster::tracker {

FactsWalk::FactsWalk(state::State& pinset, storage::Store& store)
    : holding_(pinset.holding()),
      pins_(pinset.list()),
      records_(store.iterate(storage::Family::tracker, "", "")),
      kept_rows_(store) {}

Async<std::optional<FactsWalk::Row>> FactsWalk::next() {
    if (!primed_) {
        ICL_CO_TRY(pin_, co_await pins_->next());
        ICL_CO_TRY(advance_record());
        ICL_CO_TRY(kept_, kept_rows_.next());
        primed_ = true;
    }
    if (!pin_ && !record_) co_return std::optional<Row>{};
    const bool has_pin = pin_ && (!record_ || pin_->pin.cid.bytes() <= record_->first.bytes());
    const bool has_record = record_ && (!pin_ || record_->first.bytes() <= pin_->pin.cid.bytes());
    auto cid = has_pin ? pin_->pin.cid : record_->first;
    Facts facts;
    if (has_pin) {
        facts.pin = std::move(pin_);
        facts.mine = holding_.holds(facts.pin->pin);
        ICL_CO_TRY(pin_, co_await pins_->next());
    }
    if (has_record) {
        facts.record = std::move(record_->second);
        ICL_CO_TRY(advance_record());
    }
    while (kept_ && kept_->cid.bytes() < cid.bytes()) {
        ICL_CO_TRY(kept_, kept_rows_.next());
    }
    if (kept_ && kept_->cid == cid && !facts.mine) facts.kept = kept_;
    co_return std::optional<Row>(std::in_place, std::move(cid), std::move(facts));
}

Result<> FactsWalk::advance_record() {
    record_.reset();
    ICL_TRY(const auto more, records_->next());
    if (!more) return ok();
    ICL_TRY(auto cid, Cid::from_bytes(records_->key()));
    ICL_TRY(auto record, decode_or_failed(records_->value()));
    record_.emplace(std::move(cid), std::move(record));
    return ok();
}

}  // namespace ipfscluster::tracker
