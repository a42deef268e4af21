#include "consensus/raft/member_changes.hpp"

#include <algorithm>

#include "base/log.hpp"

namespace ipfscluster::raft {

namespace {

/// What a leader has taken into its log may still happen, whatever ended the wait for it.
Error unconfirmed(Error error, bool accepted) {
    if (!accepted || error.kind == Kind::cancelled) return error;
    return {Kind::unknown_outcome, "it may still happen: " + error.text};
}

}  // namespace

Async<> MemberChanges::ask_leader(ChangeRequest change) {
    const auto status = driver_.status();
    if (status.role == Role::leader) co_return co_await duties_.change(std::move(change));
    auto leader = roster_.peer_of(status.leader);
    if (leader.empty()) co_return fail(Kind::retryable, "no leader is known");
    ICL_CO_TRY(auto greeted,
               co_await greeter_.member(std::move(leader), Purpose::change, status.leader));
    auto* stream = greeted.stream.get();
    ICL_CO_TRY(co_await stream->write(encode_frame(FrameType::change_request, encode(change))));
    auto answer = co_await with_deadline<Bytes>(world_, options_.network_timeout,
                                                "the leader's answer to a membership change",
                                                stream->expect(FrameType::change_reply));
    if (!answer && answer.error().kind == Kind::cancelled) co_return fail(answer.error());
    if (!answer) co_return fail(Kind::unknown_outcome, answer.error().text);
    ICL_CO_TRY(auto reply, decode_change_reply(answer.value()));
    if (reply.verdict == ChangeVerdict::accepted) co_return ok();
    co_return fail(reply.verdict == ChangeVerdict::refused ? Kind::conflict : Kind::retryable,
                   reply.text);
}

/// Asked again an election timeout after it was taken, sooner when it was not, and at once when
/// another peer leads. Refused only by what a leader still says a whole election timeout later: it
/// forgets once per timeout who is alive and hears of it a heartbeat later.
Async<> MemberChanges::pursue(Wish* wish) {
    const auto election =
        std::chrono::duration_cast<SteadyTime::duration>(options_.election_timeout);
    const auto deadline = after(options_.membership_limit);
    SteadyTime again{};
    NodeId asked = 0;
    std::optional<SteadyTime> refused_since;
    std::string cause = "no leader; the cluster has no quorum";
    while (!wish->done()) {
        const auto leader = driver_.status().leader;
        if (leader != 0 && (world_.steady_now() >= again || leader != asked)) {
            asked = leader;
            auto said = co_await ask_leader(wish->change);
            if (wish->done()) break;
            const auto now = world_.steady_now();
            again = now + (said ? election : election * 4 / 10);
            if (said || life_.ended() || said.error().kind != Kind::conflict)
                refused_since.reset();
            else if (!refused_since)
                refused_since = now;
            else if (now - *refused_since >= election)
                co_return fail(said.error().in(wish->what));
            if (said || said.error().kind == Kind::unknown_outcome) wish->accepted = true;
            if (!said) cause = said.error().text;
            if (!said && said.error().kind == Kind::cancelled) co_return fail(said.error());
        }
        auto changed = co_await driver_.wait_change(
            std::min(deadline, std::max(again, world_.steady_now() + election / 10)));
        if (changed || wish->done()) continue;
        if (changed.error().kind != Kind::timeout)
            co_return fail(unconfirmed(changed.error(), wish->accepted).in(wish->what));
        if (world_.steady_now() < deadline) continue;
        if (wish->accepted)
            co_return fail(Kind::unknown_outcome,
                           wish->what + ": not confirmed by a quorum in time; it may still happen");
        co_return fail(Kind::unavailable, wish->what + ": " + cause);
    }
    co_return ok();
}

Async<> MemberChanges::add(PeerId peer) {
    ICL_CO_TRY(life_.check());
    if (!driver_.running() || !roster_.is_member())
        co_return fail(Kind::unavailable, "this peer is not a member of a cluster");
    if (peer == roster_.self()) co_return ok();
    const auto begin = world_.steady_now();
    auto probed = co_await greeter_.probe(peer);
    // A connection to its earlier life may end only now: the peer itself has not been asked yet.
    if (!probed && probed.error().kind == Kind::unavailable &&
        world_.steady_now() - begin < options_.network_timeout / 2)
        probed = co_await greeter_.probe(peer);
    const auto nodes = roster_.nodes_of(peer);
    if (!probed) {
        if (!nodes.empty()) co_return ok();
        co_return fail(probed.error().in("adding peer " + peer.to_string()));
    }
    const auto& reply = probed.value();
    if (std::find(nodes.begin(), nodes.end(), reply.node) != nodes.end()) co_return ok();
    if (reply.node == 0)
        co_return fail(Kind::unavailable, "peer " + peer.to_string() + " is not ready to join yet");
    if (reply.has_cluster)
        co_return fail(Kind::conflict,
                       "peer " + peer.to_string() + " is a member of another cluster");
    const auto suffices = level_suffices(reply.feature_level, log_.facts().feature_level());
    if (!suffices) co_return fail(suffices.error().in("adding peer " + peer.to_string()));
    co_return co_await add_node(peer, reply.node, reply.feature_level);
}

Async<> MemberChanges::add_node(PeerId peer, NodeId id, std::uint32_t feature_level) {
    Wish wish;
    wish.change = {ChangeOp::add_learner, id, peer.bytes(), feature_level};
    wish.what = "adding peer " + peer.to_string();
    wish.done = [this, id] { return roster_.is_removed(id) || roster_.has(id); };
    ICL_CO_TRY(co_await pursue(&wish));
    if (roster_.is_removed(id))
        co_return fail(Kind::conflict,
                       "peer " + peer.to_string() +
                           " was removed; it must clean its consensus data before it joins");
    co_return ok();
}

asio::awaitable<void> MemberChanges::add_again(PeerId peer, NodeId node,
                                               std::uint32_t feature_level) {
    co_await asio::this_coro::throw_if_cancelled(false);
    added_again_.insert(node);
    auto added = co_await add_node(peer, node, feature_level);
    added_again_.erase(node);
    if (!added)
        logger("raft")->warn("a peer could not be added again peer={} error=\"{}\"",
                             peer.to_string(), added.error().text);
}

Async<> MemberChanges::wait_level(std::uint32_t level, std::string what) {
    const auto in_force = [this] { return log_.facts().feature_level(); };
    // Once all members announce it a leader raises it with its next ticks.
    const auto deadline = after(2 * options_.election_timeout);
    while (in_force() < level) {
        auto changed = co_await driver_.wait_change(deadline);
        if (changed) continue;
        if (changed.error().kind != Kind::timeout) co_return fail(changed.error());
        if (in_force() >= level) break;
        if (driver_.status().leader == 0)
            co_return fail(Kind::unavailable, "no leader: the cluster has no quorum");
        ICL_CO_TRY(const auto who, co_await who_knows_less(world_, host_, roster_.peers(),
                                                           roster_.hello(Purpose::probe), level));
        if (in_force() >= level) break;
        co_return fail(Kind::unsupported, what + " need feature level " + std::to_string(level) +
                                              ", and this cluster has level " +
                                              std::to_string(in_force()) + who);
    }
    co_return ok();
}

NodeId MemberChanges::successor_of(NodeId id) const {
    NodeId target = 0;
    if (driver_.running() && id == roster_.node() && driver_.status().role == Role::leader) {
        // The one that has most needs least to catch up.
        const auto progress = driver_.engine()->progress();
        if (!progress) return 0;
        std::uint64_t best = 0;
        for (const auto& peer : progress.value()) {
            if (peer.learner || peer.id == id || !peer.recent_active || peer.matched < best)
                continue;
            best = peer.matched;
            target = peer.id;
        }
        return target;
    }
    for (const auto& member : roster_.members()) {
        if (member.learner || member.id == id) continue;
        if (target == 0 || member.id == roster_.node()) target = member.id;
    }
    return target;
}

Async<> MemberChanges::move_leadership_from(NodeId id) {
    const auto election =
        std::chrono::duration_cast<SteadyTime::duration>(options_.election_timeout);
    const auto start = world_.steady_now();
    const auto deadline = after(options_.membership_limit);
    const auto leader = [this] { return driver_.status().leader; };
    SteadyTime again{};
    bool asked = false;
    while (leader() == id || leader() == 0) {
        const auto now = world_.steady_now();
        if (now >= again && leader() == id) {
            const auto target = successor_of(id);
            // Once per election timeout the leader knows of nobody alive until the next heartbeat.
            if (target == 0 && !asked && now - start >= election)
                co_return fail(Kind::conflict, "no other voter answers that could lead");
            if (target != 0) {
                asked = true;
                driver_.request(
                    [target](Engine& engine) { return engine.transfer_leader(target); });
            }
            again = now + (target != 0 ? 2 * election : election / 10);
        }
        auto changed =
            co_await driver_.wait_change(std::min(deadline, std::max(again, now + election / 10)));
        if (changed) continue;
        if (changed.error().kind != Kind::timeout)
            co_return fail(changed.error().in("handing over leadership"));
        if (world_.steady_now() >= deadline)
            co_return fail(Kind::unavailable, "no other voter took over leadership in time");
    }
    co_return ok();
}

Async<> MemberChanges::remove(PeerId peer) {
    const bool own = peer == roster_.self();
    auto gone = co_await remove_nodes_of(std::move(peer));
    // Our own removal ends this component, whatever it was waiting for, and is what was asked for.
    if (own && life_.removed()) co_return ok();
    co_return gone;
}

Result<> MemberChanges::may_lose(const PeerId& peer, NodeId id) const {
    const bool voter =
        std::any_of(roster_.members().begin(), roster_.members().end(),
                    [id](const Member& member) { return member.id == id && !member.learner; });
    if (!voter || roster_.voter_count() > 1) return ok();
    return fail(Kind::conflict, "peer " + peer.to_string() +
                                    " is the last voter of the cluster and cannot be removed");
}

/// A leader hands over first: the engine would refuse to take it away.
Async<> MemberChanges::remove_nodes_of(PeerId peer) {
    ICL_CO_TRY(life_.check());
    if (!driver_.running() || !roster_.is_member())
        co_return fail(Kind::unavailable, "this peer is not a member of a cluster");
    Wish wish;
    wish.what = "removing peer " + peer.to_string();
    while (true) {
        const auto nodes = roster_.nodes_of(peer);
        if (nodes.empty()) co_return ok();
        const auto id = nodes.front();
        ICL_CO_TRY(may_lose(peer, id));
        if (driver_.status().leader == id) {
            auto moved = co_await move_leadership_from(id);
            if (!moved) co_return fail(unconfirmed(moved.error(), wish.accepted));
        }
        wish.change = {ChangeOp::remove, id, {}, 0};
        wish.done = [this, id] { return !roster_.has(id) || driver_.status().leader == id; };
        ICL_CO_TRY(co_await pursue(&wish));
    }
}

}  // namespace ipfscluster::raft
