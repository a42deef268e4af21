#include "consensus/raft/stream_places.hpp"

namespace ipfscluster::raft {

std::optional<StreamPlaces::Place> StreamPlaces::take(const PeerId& peer, bool member) {
    if (!member && strangers_ >= kStrangerStreamsMax) return std::nullopt;
    auto& count = peers_[peer];
    if (count.open >= kStreamsPerPeerMax) return std::nullopt;
    ++count.open;
    ++open_;
    if (!member) ++strangers_;
    return Place(this, peer, member ? Place::Use::member : Place::Use::stranger);
}

std::optional<StreamPlaces::Place> StreamPlaces::take_refusal(const PeerId& peer) {
    if (refusals_ >= kRefusalsMax) return std::nullopt;
    ++refusals_;
    return Place(this, peer, Place::Use::refusal);
}

bool StreamPlaces::first_refusal(const PeerId& peer) {
    const auto found = peers_.find(peer);
    const bool own_fault = found != peers_.end() && found->second.open >= kStreamsPerPeerMax;
    return !std::exchange(own_fault ? found->second.told : strangers_told_, true);
}

void StreamPlaces::give_back(const PeerId& peer, Place::Use use) {
    if (use == Place::Use::refusal) {
        --refusals_;
        return;
    }
    --open_;
    if (use == Place::Use::stranger && --strangers_ <= kStrangerStreamsMax / 2)
        strangers_told_ = false;
    const auto found = peers_.find(peer);
    if (--found->second.open == 0) peers_.erase(found);
}

}  // namespace ipfscluster::raft
