#include "net/stream_places.hpp"

#include "base/assert.hpp"

namespace ipfscluster::net {

std::optional<StreamPlaces::Place> StreamPlaces::take(const PeerId& peer, bool member) {
    if (open_ >= bounds_.in_all || (!member && strangers_ >= bounds_.strangers))
        return std::nullopt;
    const auto most = member ? bounds_.per_member : bounds_.per_stranger;
    const auto found = peers_.find(peer);
    if (found != peers_.end() && found->second.open >= most) return std::nullopt;
    ++peers_[peer].open;
    ++open_;
    if (!member) ++strangers_;
    return Place(this, peer, member ? Place::Use::member : Place::Use::stranger);
}

std::optional<StreamPlaces::Place> StreamPlaces::take_refusal(const PeerId& peer) {
    if (refusals_ >= bounds_.refusals) return std::nullopt;
    ++refusals_;
    return Place(this, peer, Place::Use::refusal);
}

bool StreamPlaces::first_refusal(const PeerId& peer) {
    const auto found = peers_.find(peer);
    const bool own_fault = found != peers_.end() && found->second.open >= bounds_.per_stranger;
    return !std::exchange(own_fault ? found->second.told : strangers_told_, true);
}

void StreamPlaces::give_back(const PeerId& peer, Place::Use use) {
    if (use == Place::Use::refusal) {
        --refusals_;
        return;
    }
    --open_;
    if (use == Place::Use::stranger && --strangers_ <= bounds_.strangers / 2)
        strangers_told_ = false;
    const auto found = peers_.find(peer);
    ICL_ASSERT(found != peers_.end(), "a place of a peer that has none");
    if (--found->second.open == 0) peers_.erase(found);
}

}  // namespace ipfscluster::net
