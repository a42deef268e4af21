#include "consensus/raft/loss.hpp"

#include <fmt/format.h>

#include <set>

#include "base/log.hpp"
#include "consensus/raft/links.hpp"

namespace ipfscluster::raft {

namespace {
constexpr Duration kAskAgain = std::chrono::milliseconds(500);
constexpr Duration kAnswerLimit = std::chrono::seconds(2);
}  // namespace

std::string what_is_missing(const LogStore& log, const std::optional<Floor>& floor,
                            const PeerId& self) {
    if (!floor) return {};
    if (!floor->damage.empty()) return floor->damage;
    // An import takes everything of consensus away, and whoever came back as somebody else has
    // another node.
    if (floor->node == 0 || !log.imported().empty()) return {};
    if (log.has_identity() && make_node_id(self, log.incarnation()) != floor->node) return {};
    if (log.rounds() >= floor->rounds) return {};
    return fmt::format(
        "synced data is missing: the log ends with entry {} in term {}, and had entry {} in term "
        "{} on the disk",
        log.last_index(), log.hard_state().term, floor->last_index, floor->term);
}

Async<bool> quorum_is_intact(World& world, net::Host& host, std::vector<PeerId> others,
                             Duration network_timeout) {
    std::set<PeerId> asked(others.begin(), others.end());
    asked.erase(host.id());
    std::set<PeerId> intact;
    const auto until =
        world.steady_now() + std::chrono::duration_cast<SteadyTime::duration>(kIntactPatience);
    while (!asked.empty()) {
        for (const auto& peer : asked) {
            if (intact.contains(peer)) continue;
            Hello question;
            question.purpose = Purpose::probe;
            auto greeted = co_await greet(world, host, peer, std::move(question),
                                          std::min(network_timeout, kAnswerLimit));
            if (!greeted && greeted.error().kind == Kind::cancelled)
                co_return fail(greeted.error());
            if (!greeted) continue;
            greeted.value().stream->reset();
            const auto& reply = greeted.value().reply;
            if (reply.has_cluster && reply.lists_opener) intact.insert(peer);
        }
        // A quorum of all, this peer counted among them.
        if (2 * intact.size() > asked.size() + 1) co_return true;
        if (world.steady_now() >= until) break;
        auto slept = co_await world.sleep_for(kAskAgain);
        if (!slept) co_return fail(slept.error());
    }
    logger("raft")->warn("members that say that their data is whole: {} of {}", intact.size(),
                         asked.size());
    co_return false;
}

}  // namespace ipfscluster::raft
