#include "sim/ordeal/cordon_acts.hpp"

#include <algorithm>

#include "support/pins.hpp"

namespace ipfscluster::ordeal {

using component::Cordon;

namespace {
/// Items that no schedule knows.
constexpr int kFreshFirst = 1'000;
constexpr int kFresh = 8;
}  // namespace

bool CordonActs::tell(int number, Cordon::Kind kind) {
    if (told_ || !cluster_.peer(number).member) return false;
    if (kind == Cordon::Kind::none ? number != cordoned_ : cordoned_ >= 0) return false;
    for (int asked = 0; asked < cluster_.size(); ++asked) {
        auto& by = cluster_.peer(asked);
        if (!by.up() || !by.member) continue;
        cordoned_ = number;
        told_kind_ = kind;
        told_ = cluster_.request<DrainReport>(
            asked, by.life().cluster.peer_cordon(cluster_.peer(number).id, {.kind = kind}, false));
        return true;
    }
    return false;
}

void CordonActs::note() {
    if (cordoned_ >= 0 && !cluster_.peer(cordoned_).member) cordoned_ = -1;
    if (!told_ || !told_->has_value()) return;
    const auto answer = std::exchange(told_, nullptr);
    // Else nobody knows: what the peers say counts.
    if (!answer->value()) return;
    if (told_kind_ == Cordon::Kind::none) cordoned_ = -1;
    tally_.count(told_kind_ == Cordon::Kind::none       ? "cordon ended"
                 : told_kind_ == Cordon::Kind::cordoned ? "cordoned"
                                                        : "drain begun");
}

Cordon CordonActs::cordon_at(int number) {
    return cluster_.peer(number).life().consensus.cordon(cluster_.peer(cordoned_).id);
}

bool CordonActs::drained(const std::vector<Cid>& items) {
    if (cordoned_ < 0) return true;
    const int judge = cluster_.leader();
    if (told_ || judge < 0) return false;
    const auto cordon = cordon_at(judge);
    if (!cordon.takes_no_pins()) cordoned_ = -1;  // what it was told has never arrived
    if (!cordon.moves_pins()) return true;
    const auto& id = cluster_.peer(cordoned_).id;
    auto& state = cluster_.peer(judge).life().state;
    left_ =
        static_cast<std::size_t>(std::count_if(items.begin(), items.end(), [&](const Cid& item) {
            const auto row = state.get(item);
            return row && row.value() && !row.value()->pin.everywhere() &&
                   row.value()->pin.allocated_to(id);
        }));
    if (left_ == 0 && !std::exchange(counted_, true)) tally_.count("drained to the end");
    return left_ == 0;
}

std::string CordonActs::text() const {
    return "peer " + std::to_string(cordoned_) + " is drained and still has " +
           std::to_string(left_) + " pins";
}

std::string CordonActs::check() {
    const int through = cluster_.leader();
    if (cordoned_ < 0 || through < 0 || !cordon_at(through).takes_no_pins()) return {};
    for (int i = 0; i < kFresh; ++i) cluster_.submit_pin(through, test::cid(kFreshFirst + i), 1, 2);
    if (auto text = cluster_.settle(std::chrono::seconds(120)); !text.empty()) return text;
    auto& state = cluster_.peer(through).life().state;
    for (int i = 0; i < kFresh; ++i) {
        const auto row = state.get(test::cid(kFreshFirst + i));
        if (row && row.value() && row.value()->pin.allocated_to(cluster_.peer(cordoned_).id))
            return "peer " + std::to_string(cordoned_) + " is cordoned and was given a pin";
    }
    tally_.count("cordons that held");
    return {};
}

}  // namespace ipfscluster::ordeal
