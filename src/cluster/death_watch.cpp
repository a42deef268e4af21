#include "cluster/death_watch.hpp"

#include <algorithm>
#include <utility>

namespace ipfscluster::cluster {

void DeathWatch::look(const View& view, SteadyTime now) {
    members_ = view.members;
    const auto left = [&](const PeerId& peer) { return !members_.contains(peer); };
    std::erase_if(known_, left);
    std::erase_if(silences_, [&](const auto& e) {
        const bool watched = !left(e.first) || view.strangers.contains(e.first);
        return !watched || view.heard.contains(e.first);
    });
    for (const auto& peer : view.strangers)
        if (!view.heard.contains(peer)) silences_.emplace(peer, Silence{.since = now});
    for (const auto& peer : members_) {
        if (view.heard.contains(peer)) {
            known_.insert(peer);
            continue;
        }
        silences_.emplace(peer, Silence{.since = now, .vanished = known_.contains(peer)});
    }
    find_mass();
    if (!mass_) return;
    std::erase_if(mass_->peers, left);
    const bool all_back =
        std::none_of(mass_->peers.begin(), mass_->peers.end(), [&](const PeerId& peer) {
            const auto silence = silences_.find(peer);
            return silence != silences_.end() && silence->second.vanished;
        });
    if (all_back || now >= end_of_mass()) mass_.reset();
}

void DeathWatch::find_mass() {
    // Whoever vanishes while the others of a mass vanish are away belongs to it.
    std::set<PeerId> together;
    SteadyTime last{};
    for (const auto& [peer, silence] : silences_)
        if (silence.vanished) last = std::max(last, silence.since);
    for (const auto& [peer, silence] : silences_)
        if (silence.vanished && last - silence.since <= grace_) together.insert(peer);
    if (together.size() * 2 <= members_.size()) return;
    if (!mass_) mass_ = Mass{};
    mass_->peers.insert(together.begin(), together.end());
    mass_->last = std::max(mass_->last, last);
}

SteadyTime DeathWatch::end_of_mass() const {
    return mass_->last +
           std::chrono::duration_cast<SteadyTime::duration>(kMassVanishGraces * grace_);
}

bool DeathWatch::held(const PeerId& peer, SteadyTime now) const {
    return mass_ && mass_->peers.contains(peer) && now < end_of_mass();
}

std::vector<PeerId> DeathWatch::suspects(SteadyTime now) const {
    std::vector<PeerId> out;
    for (const auto& [peer, silence] : silences_) {
        if (held(peer, now) && silence.asked) continue;
        if (now - silence.since >= grace_) out.push_back(peer);
    }
    return out;
}

std::optional<SteadyTime> DeathWatch::silent_since(const PeerId& peer) const {
    const auto found = silences_.find(peer);
    if (found == silences_.end()) return std::nullopt;
    return found->second.since;
}

std::vector<PeerId> DeathWatch::silent() const {
    std::vector<PeerId> out;
    for (const auto& [peer, silence] : silences_) out.push_back(peer);
    return out;
}

void DeathWatch::answered(const PeerId& peer, SteadyTime now) {
    const auto found = silences_.find(peer);
    if (found == silences_.end()) return;
    // It is here. Whether it had vanished before nobody can tell: a mass it belongs to lasts.
    found->second = Silence{.since = now};
}

std::vector<PeerId> DeathWatch::dead(const std::vector<PeerId>& suspects, SteadyTime now) {
    std::vector<PeerId> out;
    for (const auto& peer : suspects) {
        const auto found = silences_.find(peer);
        if (found == silences_.end()) continue;
        if (!held(peer, now)) {
            out.push_back(peer);
            continue;
        }
        found->second.asked = true;
        if (std::exchange(mass_->told, true)) continue;
        news_ = MassVanish{mass_->peers.size(), members_.size(), end_of_mass() - now};
    }
    return out;
}

std::optional<DeathWatch::MassVanish> DeathWatch::take_news() {
    return std::exchange(news_, std::nullopt);
}

bool majority_seen(const std::vector<PeerId>& voters, const std::set<PeerId>& seen) {
    const auto count = std::count_if(voters.begin(), voters.end(),
                                     [&](const PeerId& peer) { return seen.contains(peer); });
    return static_cast<std::size_t>(count) * 2 > voters.size();
}

}  // namespace ipfscluster::cluster
