#include "consensus/raft/level_raise.hpp"

#include <algorithm>

#include "consensus/raft/cluster_facts.hpp"
#include "state/state.hpp"

namespace ipfscluster::raft {

std::optional<std::uint32_t> LevelRaise::due(std::uint32_t in_force, std::uint64_t term,
                                             const std::vector<MemberLevel>& members) const {
    if (members.empty()) return std::nullopt;
    std::uint32_t lowest = UINT32_MAX;
    for (const auto& member : members) lowest = std::min(lowest, member.announced.value_or(0));
    if (lowest <= demanded(in_force, term)) return std::nullopt;
    return lowest;
}

std::uint32_t LevelRaise::demanded(std::uint32_t in_force, std::uint64_t term) const {
    return under_way_.term == term ? std::max(in_force, under_way_.level) : in_force;
}

Bytes level_entry(std::uint32_t level) {
    state::LoggedOperation operation;
    operation.fact = state::FactKind::feature_level;
    operation.payload = encode_level_fact(level);
    operation.level = level;
    return state::encode_operations({std::move(operation)});
}

Async<std::string> who_knows_less(World& world, net::Host& host, std::vector<PeerId> members,
                                  Hello hello, std::uint32_t level) {
    std::erase(members, host.id());
    if (members.size() > kLevelAskedMax) members.resize(kLevelAskedMax);
    std::string who;
    for (const auto& member : members) {
        auto greeted = co_await greet(world, host, member, hello, kLevelAskLimit);
        if (!greeted && greeted.error().kind == Kind::cancelled) co_return fail(greeted.error());
        std::string why = " does not answer";
        if (greeted) {
            greeted.value().stream->reset();
            const auto known = greeted.value().reply.feature_level;
            if (known >= level) continue;
            why = "'s build knows levels up to " + std::to_string(known);
        }
        who += (who.empty() ? ": peer " : ", peer ") + member.to_string() + why;
    }
    co_return who;
}

}  // namespace ipfscluster::raft
