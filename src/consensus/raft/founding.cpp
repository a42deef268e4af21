// How a peer without state becomes part of a cluster.
//
// Founders write the same first configuration, each under a node id that follows from its peer id.
// A founder that lost its disk must not do that again: it would vote twice. So a peer without state
// founds only after every other founder has answered that it never accepted a message of it (each
// writes that down, synced, before it accepts the first), and otherwise comes back under a random
// id and asks to be added. A founder alone has nobody to ask but the members that it remembers: it
// waits for them, unless the operator says that it shall found anew.
#include <algorithm>

#include "base/log.hpp"
#include "base/planted.hpp"
#include "consensus/raft/raft_consensus.hpp"

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

asio::awaitable<void> RaftConsensus::found_or_join() {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto done = co_await found_or_join_now();
    if (!done && !stopping_ && done.error().kind != Kind::cancelled) end_with(done.error());
}

Async<> RaftConsensus::found_or_join_now() {
    auto founders = options_.init_peerset;
    founders.push_back(self_);
    std::sort(founders.begin(), founders.end());
    founders.erase(std::unique(founders.begin(), founders.end()), founders.end());
    // Both say that the operator wants a cluster begun here.
    const bool told_to_found = options_.found_alone || !log_.imported().empty();
    if (!log_.has_identity() || options_.found_alone) {
        if (options_.staging && !log_.imported().empty())
            co_return fail(
                Kind::invalid,
                "this peer holds an imported pinset, which founds a cluster and cannot be "
                "taken into another: start it without --bootstrap, or remove the pinset "
                "with `state cleanup`");
        if (!options_.staging && (told_to_found || !options_.joining)) {
            auto others = founders;
            std::erase(others, self_);
            // A founder alone draws its cluster's id when it founds.
            if (!others.empty()) expected_cluster_id_ = make_cluster_id(founders, log_.imported());
            auto asked =
                others.empty() ? ask_before_founding_alone(told_to_found) : ask_founders(others);
            ICL_CO_TRY(auto known, co_await std::move(asked));
            if (!known) co_return co_await found(std::move(founders));
            logger("raft")->warn(
                "the cluster knows this peer but its consensus data is gone: joining anew");
            expected_cluster_id_.clear();
        }
        ICL_CO_TRY(co_await become_newcomer());
    }
    node_id_ = make_node_id(self_, log_.incarnation());
    ICL_CO_TRY(start_engine());
    if (!options_.staging) {
        ICL_CO_TRY(co_await ask_to_join());
    }
    co_return ok();
}

Async<bool> RaftConsensus::ask_before_founding_alone(bool told_to_found) {
    const bool waits =
        !options_.remembered.empty() && !told_to_found && !planted(Bug::members_forgotten);
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

/// Said once: what the peers asked answer may change from round to round.
void RaftConsensus::hindered_by(std::string why) {
    if (why.empty() == hindrance_.empty()) return;
    if (!why.empty()) logger("raft")->warn("{}", why);
    hindrance_ = std::move(why);
}

Async<bool> RaftConsensus::ask_founders(std::vector<PeerId> others) {
    std::set<PeerId> waiting(others.begin(), others.end());
    std::set<PeerId> told;
    bool told_waiting = false;
    while (true) {
        for (const auto& peer : others) {
            if (!waiting.contains(peer)) continue;
            auto greeted = co_await greet(world_, host_, peer, hello(Purpose::probe),
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

std::vector<PeerId> RaftConsensus::other_known_peers() const {
    auto known = host_.known_peers();
    std::sort(known.begin(), known.end());
    const auto& founders = options_.init_peerset;
    std::erase_if(known, [&](const PeerId& peer) {
        return peer == self_ || std::find(founders.begin(), founders.end(), peer) != founders.end();
    });
    const auto& members = options_.remembered;
    std::erase_if(known, [&](const PeerId& peer) {
        return std::find(members.begin(), members.end(), peer) != members.end();
    });
    if (known.size() > kKnownPeersAskedMax) known.resize(kKnownPeersAskedMax);
    known.insert(known.begin(), members.begin(), members.end());
    return known;
}

Async<RaftConsensus::KnownPeersSay> RaftConsensus::ask_known_peers() {
    // Whom the peerstore remembers; who does not answer keeps nobody from starting for long.
    const auto known = other_known_peers();
    auto said = KnownPeersSay::unknown;
    for (const auto& peer : known) {
        Hello question = hello(Purpose::probe);
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

Async<> RaftConsensus::found(std::vector<PeerId> founders) {
    Bytes incarnation = expected_cluster_id_;
    if (founders.size() == 1) {
        incarnation = draw_incarnation(world_);
        expected_cluster_id_ = make_lone_cluster_id(self_, incarnation, log_.imported());
    }
    NodeTable table;
    for (const auto& peer : founders) table[make_node_id(peer, incarnation)] = {peer, 1, false};
    if (table.size() != founders.size())
        co_return fail(Kind::internal, "two founders have the same node id");
    storage::Batch batch;
    log_.set_identity(batch, incarnation);
    log_.set_cluster_id(batch, expected_cluster_id_);
    log_.found(batch, table);
    log_.raise_feature_level(batch, std::min(state::kFoundingFeatureLevel, options_.feature_level));
    // Before the wait: whoever asks meanwhile has to see a founder.
    node_id_ = make_node_id(self_, incarnation);
    ICL_CO_TRY(co_await store_.write_synced(std::move(batch)));
    logger("raft")->info("founding a cluster founders={}", founders.size());
    co_return start_engine();
}

Async<> RaftConsensus::become_newcomer() {
    storage::Batch batch;
    log_.set_identity(batch, draw_incarnation(world_));
    log_.forget_import(batch);
    co_return co_await store_.write_synced(std::move(batch));
}

Async<> RaftConsensus::ask_to_join() {
    while (!is_member()) {
        bool heard = false;
        std::string cause = "it knows nobody";
        auto asked = options_.init_peerset;
        const auto known = other_known_peers();
        asked.insert(asked.end(), known.begin(), known.end());
        for (const auto& peer : asked) {
            if (peer == self_ || is_member()) continue;
            auto greeted = co_await greet_member(peer, Purpose::join);
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
