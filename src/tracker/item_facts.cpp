#include "tracker/item_facts.hpp"

namespace ipfscluster::tracker {

Result<std::optional<state::StoredPin>> ItemFacts::pin(const Cid& cid) {
    ICL_TRY(auto pin, pinset_.get(cid));
    if (pin) durable_.saw(pin->modification_index);
    return pin;
}

Result<Facts> ItemFacts::read(const Cid& cid) {
    Facts facts;
    ICL_TRY(facts.pin, pin(cid));
    facts.mine = facts.pin && pinset_.holding().holds(facts.pin->pin);
    if (facts.pin && !facts.mine) {
        ICL_TRY(facts.kept, state::read_kept(store_, cid));
    }
    ICL_TRY(const auto row, store_.get(storage::Family::tracker, cid.bytes()));
    if (row) {
        ICL_TRY(facts.record, decode_or_failed(*row));
    }
    return facts;
}

}  // namespace ipfscluster::tracker
