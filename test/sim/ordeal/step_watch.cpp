#include "sim/ordeal/ordeal.hpp"

namespace ipfscluster::ordeal {

void StepWatch::look() {
    if (!wrong_.empty()) return;
    for (int number = 0; number < cluster_.size(); ++number) {
        auto& peer = cluster_.peer(number);
        if (!peer.up()) continue;
        const auto status = peer.life().raft->status();
        if (status.running) look_at(number, status.engine);
    }
}

void StepWatch::look_at(int number, const raft::EngineStatus& now) {
    if (now.role == raft::Role::leader) {
        const auto [at, first] = leaders_.try_emplace(now.term, now.id);
        if (!first && at->second != now.id)
            wrong_ = "two nodes lead in term " + std::to_string(now.term) + ", one is peer " +
                     std::to_string(number);
    }
    const auto slot = static_cast<std::size_t>(number);
    if (seen_.size() <= slot) seen_.resize(slot + 1);
    auto& seen = seen_[slot];
    const auto life = cluster_.peer(number).life_number();
    if (seen.life == life && (now.commit < seen.commit || now.applied < seen.applied))
        wrong_ = "peer " + std::to_string(number) + " went back from commit " +
                 std::to_string(seen.commit) + ", applied " + std::to_string(seen.applied) +
                 " to " + std::to_string(now.commit) + ", " + std::to_string(now.applied);
    seen = {life, now.commit, now.applied};
}

}  // namespace ipfscluster::ordeal
