#include "consensus/raft/founding.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "base/planted.hpp"

namespace ipfscluster::raft {

namespace {
constexpr Duration kAskAgain = std::chrono::milliseconds(500);
constexpr Duration kJoinAgain = std::chrono::seconds(2);
constexpr std::size_t kKnownPeersAskedMax = 16;
constexpr Duration kKnownPeerLimit = std::chrono::seconds(2);
/// Known peers that do not answer may be starting too: a peer alone asks them again for this long.
/// Of members that it remembers it says after this time that it waits for them.
constexpr Duration kKnownPeersPatience = std::chrono::seconds(10);

Bytes draw_incarnation(World& world) {
    Bytes incarnation;
    while (incarnation.size() < kIncarnationBytes) put_be64(incarnation, world.random_u64());
    return incarnation;
}

std::string waiting_text(const std::vector<PeerId>& members) {
    return "this peer's consensus data is gone, it remembers " + std::to_string(members.size()) +
           (members.size() == 1 ? " other member" : " other members") +
           " of its cluster, and none has answered yet that it knows this peer (first: " +
           members.front().to_string() +
           "). It waits for them; to begin a new, empty cluster without them, start it with "
           "--found-alone";
}

std::string joining_text(const std::string& cause) {
    return "this peer is in no cluster yet, and nobody takes it in: " + cause +
           ". It goes on asking; a member takes it in when it is started with --bootstrap and "
           "that member's address, or by `peers add` there";
}
}  // namespace

std::vector<PeerId> Founding::founders() const {
    auto founders = options_.init_peerset;
    founders.push_back(roster_.self());
    std::sort(founders.begin(), founders.end());
    founders.erase(std::unique(founders.begin(), founders.end()), founders.end());
    return founders;
}

Async<bool> Founding::identify() {
    if (!log_.has_identity() || options_.found_alone) {
        if (options_.staging && !log_.imported().empty())
            co_return fail(
                Kind::invalid,
                "this peer holds an imported pinset, which founds a cluster and cannot be "
                "taken into another: start it without --bootstrap, or remove the pinset "
                "with `state cleanup`");
        if (!options_.staging && (told_to_found() || !options_.joining)) {
            auto all = founders();
            auto others = all;
            std::erase(others, roster_.self());
            // A founder alone draws its cluster's id when it founds.
            const auto id = others.empty() ? Bytes{} : make_cluster_id(all, log_.imported());
            roster_.expect_cluster(id);
            auto asked = others.empty() ? ask_before_founding_alone() : ask_founders(others);
            ICL_CO_TRY(const bool known, co_await std::move(asked));
            if (!known) {
                ICL_CO_TRY(co_await found(std::move(all)));
                co_return true;
            }
            logger("raft")->warn(
                "the cluster knows this peer but its consensus data is gone: joining anew");
            roster_.expect_cluster({});
        }
        ICL_CO_TRY(co_await become_newcomer());
    }
    roster_.become(make_node_id(roster_.self(), log_.incarnation()));
    co_return false;
}

Async<bool> Founding::ask_before_founding_alone() {
    const bool waits =
        !options_.remembered.empty() && !told_to_found() && !planted(Bug::members_forgotten);
    const auto until = world_.steady_now() + kKnownPeersPatience;
    while (true) {
        // One round of many silent peers may take longer than the patience: there is another.
        const bool last = world_.steady_now() >= until;
        ICL_CO_TRY(const auto said, co_await ask_known_peers());
        if (said == KnownPeersSay::remembered) {
            hindered_by({});
            co_return true;
        }
        if (!waits && (said == KnownPeersSay::unknown || last)) co_return false;
        if (waits && last) hindered_by(waiting_text(options_.remembered));
        auto slept = co_await world_.sleep_for(kAskAgain);
        if (!slept) co_return fail(slept.error());
    }
}

void Founding::hindered_by(const std::string& why) {
    if (life_.hinder(why) && !why.empty()) logger("raft")->warn("{}", why);
}

Async<bool> Founding::ask_founders(std::vector<PeerId> others) {
    std::set<PeerId> waiting(others.begin(), others.end());
    std::set<PeerId> told;
    bool told_waiting = false;
    while (true) {
        for (const auto& peer : others) {
            if (!waiting.contains(peer)) continue;
            auto greeted = co_await greet(world_, host_, peer, roster_.hello(Purpose::probe),
                                          options_.network_timeout);
            if (!greeted) {
                if (greeted.error().kind == Kind::cancelled) co_return fail(greeted.error());
                if (greeted.error().kind == Kind::denied && told.insert(peer).second)
                    logger("raft")->error("a founder refuses us peer={} error=\"{}\"",
                                          peer.to_string(), greeted.error().text);
                continue;
            }
            greeted.value().stream->reset();
            if (greeted.value().reply.knows_opener) co_return true;
            waiting.erase(peer);
        }
        if (waiting.empty()) co_return false;
        // The founders may be gone for good while later members remember us.
        ICL_CO_TRY(const auto said, co_await ask_known_peers());
        if (said == KnownPeersSay::remembered) co_return true;
        if (!std::exchange(told_waiting, true))
            logger("raft")->warn("waiting for the other founders missing={} first={}",
                                 waiting.size(), waiting.begin()->to_string());
        auto slept = co_await world_.sleep_for(kAskAgain);
        if (!slept) co_return fail(slept.error());
    }
}

std::vector<PeerId> Founding::other_known_peers() const {
    auto known = host_.known_peers();
    std::sort(known.begin(), known.end());
    const auto& founders = options_.init_peerset;
    std::erase_if(known, [&](const PeerId& peer) {
        return peer == roster_.self() ||
               std::find(founders.begin(), founders.end(), peer) != founders.end();
    });
    const auto& members = options_.remembered;
    std::erase_if(known, [&](const PeerId& peer) {
        return std::find(members.begin(), members.end(), peer) != members.end();
    });
    if (known.size() > kKnownPeersAskedMax) known.resize(kKnownPeersAskedMax);
    known.insert(known.begin(), members.begin(), members.end());
    return known;
}

Async<Founding::KnownPeersSay> Founding::ask_known_peers() {
    // Whom the peerstore remembers; who does not answer keeps nobody from starting for long.
    const auto known = other_known_peers();
    auto said = KnownPeersSay::unknown;
    for (const auto& peer : known) {
        Hello question = roster_.hello(Purpose::probe);
        question.cluster_id.clear();
        auto greeted = co_await greet(world_, host_, peer, std::move(question), kKnownPeerLimit);
        if (!greeted && greeted.error().kind == Kind::cancelled) co_return fail(greeted.error());
        if (!greeted) {
            said = KnownPeersSay::silent;
            continue;
        }
        greeted.value().stream->reset();
        if (greeted.value().reply.knows_opener) co_return KnownPeersSay::remembered;
    }
    co_return said;
}

Async<> Founding::found(std::vector<PeerId> founders) {
    const bool alone = founders.size() == 1;
    const auto together = alone ? Bytes{} : make_cluster_id(founders, log_.imported());
    const auto incarnation = alone ? draw_incarnation(world_) : together;
    const auto cluster_id =
        alone ? make_lone_cluster_id(roster_.self(), incarnation, log_.imported()) : together;
    NodeTable table;
    for (const auto& peer : founders) table[make_node_id(peer, incarnation)] = {peer, 1, false};
    if (table.size() != founders.size())
        co_return fail(Kind::internal, "two founders have the same node id");
    storage::Batch batch;
    log_.set_identity(batch, incarnation);
    log_.set_cluster_id(batch, cluster_id);
    log_.found(batch, table);
    log_.raise_feature_level(batch, std::min(state::kFoundingFeatureLevel, options_.feature_level));
    // Before the wait: whoever asks meanwhile has to see a founder.
    roster_.become(make_node_id(roster_.self(), incarnation));
    ICL_CO_TRY(co_await store_.write_synced(std::move(batch)));
    logger("raft")->info("founding a cluster founders={}", founders.size());
    co_return ok();
}

Async<> Founding::become_newcomer() {
    storage::Batch batch;
    log_.set_identity(batch, draw_incarnation(world_));
    log_.forget_import(batch);
    co_return co_await store_.write_synced(std::move(batch));
}

Async<> Founding::ask_to_join() {
    while (!roster_.is_member()) {
        bool heard = false;
        std::string cause = "it knows nobody";
        auto asked = options_.init_peerset;
        const auto known = other_known_peers();
        asked.insert(asked.end(), known.begin(), known.end());
        for (const auto& peer : asked) {
            if (peer == roster_.self() || roster_.is_member()) continue;
            auto greeted = co_await greeter_.member(peer, Purpose::join);
            if (!greeted &&
                (greeted.error().kind == Kind::cancelled || greeted.error().kind == Kind::conflict))
                co_return fail(greeted.error());
            if (greeted) {
                greeted.value().stream->reset();
                heard = true;
            } else {
                cause = greeted.error().text;
            }
        }
        hindered_by(heard ? std::string() : joining_text(cause));
        auto slept = co_await world_.sleep_for(kJoinAgain);
        if (!slept) co_return fail(slept.error());
    }
    hindered_by({});
    co_return ok();
}

}  // namespace ipfscluster::raft
