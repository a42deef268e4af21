// Who is a member: adding as learner, promoting, removing, handing over.
#include <algorithm>

#include "base/log.hpp"
#include "consensus/raft/raft_consensus.hpp"

namespace ipfscluster::raft {

namespace {

Result<> level_suffices(std::uint32_t known, std::uint32_t demanded) {
    if (known >= demanded) return ok();
    return fail(Kind::conflict, "its build knows feature levels up to " + std::to_string(known) +
                                    ", this cluster has level " + std::to_string(demanded) +
                                    ": install a newer build there");
}

/// At the leader: `retryable` when the same may work soon, `conflict` when the cluster's state
/// forbids it. `level`: what a newcomer has to know.
Result<> propose_change(Engine& engine, const ChangeRequest& change, std::uint32_t level) {
    ICL_TRY(auto status, engine.status());
    if (status.role != Role::leader) return fail(Kind::retryable, "this peer does not lead");
    if (status.pending_change)
        return fail(Kind::retryable, "another membership change is under way");
    if (status.transferee != 0) return fail(Kind::retryable, "leadership is being handed over");
    if (change.op == ChangeOp::add_learner) {
        // Whoever asks late, or again, must not make a voter a learner.
        ICL_TRY(auto members, engine.progress());
        if (std::any_of(members.begin(), members.end(),
                        [&](const Progress& member) { return member.id == change.node; }))
            return ok();
        ICL_TRY(level_suffices(change.feature_level, level));
    }
    return engine.propose_change(change.op, change.node, change.context);
}

/// What a leader has taken into its log may still happen, whatever ended the wait for it.
Error unconfirmed(Error error, bool accepted) {
    if (!accepted || error.kind == Kind::cancelled) return error;
    return {Kind::unknown_outcome, "it may still happen: " + error.text};
}

}  // namespace

std::vector<NodeId> RaftConsensus::nodes_of(const PeerId& peer) const {
    std::vector<NodeId> out;
    for (const auto& member : log_.members())
        if (peer_of(member.id) == peer) out.push_back(member.id);
    return out;
}

Async<> RaftConsensus::propose_here(ChangeRequest change) {
    ICL_CO_TRY(check_running());
    struct Asked {
        std::optional<Result<>> said;
        bool given_up = false;
    };
    auto asked = std::make_shared<Asked>();
    request([this, change, asked](Engine& engine) -> Result<> {
        // The disk held the driver up, and the asker has been told that nothing happened.
        if (asked->given_up) return ok();
        // The engine's own word: the driver may have waited for the disk since it led last.
        const auto status = engine.status();
        const auto level =
            level_raise_.demanded(log_.facts().feature_level(), status ? status.value().term : 0);
        asked->said = propose_change(engine, change, level);
        changed_.notify_all();
        return *asked->said;
    });
    // Shorter than a member waits for the answer: it is to hear that nothing happened.
    const auto deadline = world_.steady_now() + std::chrono::duration_cast<SteadyTime::duration>(
                                                    options_.network_timeout / 2);
    while (!asked->said) {
        auto changed = co_await wait_change(deadline);
        if (!changed && !asked->said) {
            asked->given_up = true;
            co_return fail(changed.error());
        }
    }
    co_return *asked->said;
}

Async<Greeted> RaftConsensus::greet_member(PeerId member, Purpose purpose, NodeId wanted) {
    auto greeted = co_await greet(world_, host_, std::move(member), hello(purpose, wanted),
                                  options_.network_timeout);
    // A removed node does not always hear of it: the others may agree without it, and the leader
    // drops it at once.
    if (!greeted && greeted.error().kind == Kind::conflict) end_removed(greeted.error());
    co_return greeted;
}

Async<> RaftConsensus::ask_leader(ChangeRequest change) {
    if (status_.role == Role::leader) co_return co_await propose_here(std::move(change));
    auto leader = peer_of(status_.leader);
    if (leader.empty()) co_return fail(Kind::retryable, "no leader is known");
    ICL_CO_TRY(auto greeted,
               co_await greet_member(std::move(leader), Purpose::change, status_.leader));
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

Async<> RaftConsensus::change_until(std::function<bool()> done, ChangeRequest change,
                                    std::string what, bool* accepted) {
    const auto election =
        std::chrono::duration_cast<SteadyTime::duration>(options_.election_timeout);
    const auto deadline = world_.steady_now() + std::chrono::duration_cast<SteadyTime::duration>(
                                                    options_.membership_limit);
    SteadyTime again{};
    NodeId asked = 0;
    std::optional<SteadyTime> refused_since;
    std::string cause = "no leader; the cluster has no quorum";
    while (!done()) {
        if (status_.leader != 0 && (world_.steady_now() >= again || status_.leader != asked)) {
            asked = status_.leader;
            auto said = co_await ask_leader(change);
            if (done()) break;
            const auto now = world_.steady_now();
            again = now + (said ? election : election * 4 / 10);
            // A leader forgets once per election timeout who is alive and hears of it a heartbeat
            // later: only what it still refuses a whole timeout later is refused.
            if (said || ended_ || said.error().kind != Kind::conflict)
                refused_since.reset();
            else if (!refused_since)
                refused_since = now;
            else if (now - *refused_since >= election)
                co_return fail(said.error().in(what));
            if (said || said.error().kind == Kind::unknown_outcome) *accepted = true;
            if (!said) cause = said.error().text;
            if (!said && said.error().kind == Kind::cancelled) co_return fail(said.error());
        }
        auto changed = co_await wait_change(
            std::min(deadline, std::max(again, world_.steady_now() + election / 10)));
        if (!changed && changed.error().kind == Kind::timeout) {
            if (world_.steady_now() < deadline) continue;
            if (*accepted)
                co_return fail(Kind::unknown_outcome,
                               what + ": not confirmed by a quorum in time; it may still happen");
            co_return fail(Kind::unavailable, what + ": " + cause);
        }
        if (!changed) {
            if (done()) co_return ok();
            co_return fail(unconfirmed(changed.error(), *accepted).in(what));
        }
    }
    co_return ok();
}

Async<> RaftConsensus::add_peer(PeerId peer) {
    ICL_CO_TRY(check_running());
    if (!engine_ || !is_member())
        co_return fail(Kind::unavailable, "this peer is not a member of a cluster");
    if (peer == self_) co_return ok();
    const auto begin = world_.steady_now();
    auto greeted =
        co_await greet(world_, host_, peer, hello(Purpose::probe), options_.network_timeout);
    // A connection to its earlier life may end only now: the peer itself has not been asked yet.
    if (!greeted && greeted.error().kind == Kind::unavailable &&
        world_.steady_now() - begin < options_.network_timeout / 2)
        greeted =
            co_await greet(world_, host_, peer, hello(Purpose::probe), options_.network_timeout);
    if (!greeted) {
        if (!nodes_of(peer).empty()) co_return ok();
        co_return fail(greeted.error().in("adding peer " + peer.to_string()));
    }
    greeted.value().stream->reset();
    const auto& reply = greeted.value().reply;
    const auto nodes = nodes_of(peer);
    if (std::find(nodes.begin(), nodes.end(), reply.node) != nodes.end()) co_return ok();
    if (reply.node == 0)
        co_return fail(Kind::unavailable, "peer " + peer.to_string() + " is not ready to join yet");
    if (reply.has_cluster)
        co_return fail(Kind::conflict,
                       "peer " + peer.to_string() + " is a member of another cluster");
    ICL_CO_TRY(check_level(peer, reply.feature_level));
    co_return co_await add_node(peer, reply.node, reply.feature_level);
}

Result<> RaftConsensus::check_level(const PeerId& newcomer, std::uint32_t known) const {
    const auto suffices = level_suffices(known, log_.facts().feature_level());
    if (!suffices) return fail(suffices.error().in("adding peer " + newcomer.to_string()));
    return ok();
}

Async<> RaftConsensus::wait_level(std::uint32_t level, std::string what) {
    const auto in_force = [this] { return log_.facts().feature_level(); };
    // Once all members announce it a leader raises it with its next ticks.
    const auto deadline = world_.steady_now() + std::chrono::duration_cast<SteadyTime::duration>(
                                                    2 * options_.election_timeout);
    while (in_force() < level) {
        auto changed = co_await wait_change(deadline);
        if (changed) continue;
        if (changed.error().kind != Kind::timeout) co_return fail(changed.error());
        if (in_force() >= level) break;
        if (status_.leader == 0)
            co_return fail(Kind::unavailable, "no leader: the cluster has no quorum");
        ICL_CO_TRY(const auto who,
                   co_await who_knows_less(world_, host_, peers(), hello(Purpose::probe), level));
        if (in_force() >= level) break;
        co_return fail(Kind::unsupported, what + " need feature level " + std::to_string(level) +
                                              ", and this cluster has level " +
                                              std::to_string(in_force()) + who);
    }
    co_return ok();
}

Async<> RaftConsensus::add_node(PeerId peer, NodeId id, std::uint32_t feature_level) {
    auto is_removed = [this, id] {
        const auto known = log_.nodes().find(id);
        return known != log_.nodes().end() && known->second.removed;
    };
    // Named: g++ 12 destroys a capturing lambda twice when it is a temporary of an awaiting
    // expression.
    std::function<bool()> decided = [this, id, is_removed] {
        return is_removed() || std::any_of(log_.members().begin(), log_.members().end(),
                                           [id](const Member& member) { return member.id == id; });
    };
    ChangeRequest change{ChangeOp::add_learner, id, peer.bytes(), feature_level};
    auto what = "adding peer " + peer.to_string();
    bool accepted = false;
    ICL_CO_TRY(
        co_await change_until(std::move(decided), std::move(change), std::move(what), &accepted));
    if (is_removed())
        co_return fail(Kind::conflict,
                       "peer " + peer.to_string() +
                           " was removed; it must clean its consensus data before it joins");
    co_return ok();
}

NodeId RaftConsensus::successor_of(NodeId id) const {
    NodeId target = 0;
    if (engine_ && id == node_id_ && status_.role == Role::leader) {
        // The one that has most needs least to catch up.
        auto progress = engine_->progress();
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
    for (const auto& member : log_.members()) {
        if (member.learner || member.id == id) continue;
        if (target == 0 || member.id == node_id_) target = member.id;
    }
    return target;
}

Async<> RaftConsensus::move_leadership_from(NodeId id) {
    const auto election =
        std::chrono::duration_cast<SteadyTime::duration>(options_.election_timeout);
    const auto start = world_.steady_now();
    const auto deadline =
        start + std::chrono::duration_cast<SteadyTime::duration>(options_.membership_limit);
    SteadyTime again{};
    bool asked = false;
    while (status_.leader == id || status_.leader == 0) {
        const auto now = world_.steady_now();
        if (now >= again && status_.leader == id) {
            const auto target = successor_of(id);
            // Once per election timeout the leader knows of nobody alive until the next heartbeat.
            if (target == 0 && !asked && now - start >= election)
                co_return fail(Kind::conflict, "no other voter answers that could lead");
            if (target != 0) {
                asked = true;
                request([target](Engine& engine) { return engine.transfer_leader(target); });
            }
            again = now + (target != 0 ? 2 * election : election / 10);
        }
        auto changed =
            co_await wait_change(std::min(deadline, std::max(again, now + election / 10)));
        if (changed) continue;
        if (changed.error().kind != Kind::timeout)
            co_return fail(changed.error().in("handing over leadership"));
        if (world_.steady_now() >= deadline)
            co_return fail(Kind::unavailable, "no other voter took over leadership in time");
    }
    co_return ok();
}

Async<> RaftConsensus::remove_peer(PeerId peer) {
    const bool own = peer == self_;
    auto gone = co_await remove_nodes_of(std::move(peer));
    // Our own removal ends this component, whatever it was waiting for, and is what was asked for.
    if (own && removed_) co_return ok();
    co_return gone;
}

Async<> RaftConsensus::remove_nodes_of(PeerId peer) {
    ICL_CO_TRY(check_running());
    if (!engine_ || !is_member())
        co_return fail(Kind::unavailable, "this peer is not a member of a cluster");
    bool accepted = false;
    while (true) {
        const auto nodes = nodes_of(peer);
        if (nodes.empty()) co_return ok();
        const auto id = nodes.front();
        const auto voters = std::count_if(log_.members().begin(), log_.members().end(),
                                          [](const Member& member) { return !member.learner; });
        const bool learner = std::any_of(log_.members().begin(), log_.members().end(),
                                         [id](const Member& m) { return m.id == id && m.learner; });
        if (!learner && voters == 1)
            co_return fail(Kind::conflict,
                           "peer " + peer.to_string() +
                               " is the last voter of the cluster and cannot be removed");
        if (status_.leader == id) {
            auto moved = co_await move_leadership_from(id);
            if (!moved) co_return fail(unconfirmed(moved.error(), accepted));
        }
        std::function<bool()> gone_or_leads = [this, id] {
            const bool gone = std::none_of(log_.members().begin(), log_.members().end(),
                                           [id](const Member& member) { return member.id == id; });
            return gone || status_.leader == id;
        };
        ChangeRequest change{ChangeOp::remove, id, {}, 0};
        auto what = "removing peer " + peer.to_string();
        auto removed = co_await change_until(std::move(gone_or_leads), std::move(change),
                                             std::move(what), &accepted);
        if (!removed) co_return fail(removed.error());
    }
}

PeerId RaftConsensus::next_to_ask() {
    auto known = peers();
    // Before its first snapshot a joiner knows only who has talked to it.
    if (known.empty()) {
        const auto contacts = contacts_.peers();
        known.assign(contacts.begin(), contacts.end());
    }
    auto next = std::upper_bound(known.begin(), known.end(), last_asked_);
    for (std::size_t i = 0; i < known.size(); ++i, ++next) {
        if (next == known.end()) next = known.begin();
        if (*next != self_) return *next;
    }
    return {};
}

asio::awaitable<void> RaftConsensus::run_lookout() {
    co_await asio::this_coro::throw_if_cancelled(false);
    const auto silence = std::chrono::duration_cast<SteadyTime::duration>(
        kSilentElections * options_.election_timeout);
    last_heard_ = world_.steady_now();
    while (!stopping_ && !ended_) {
        auto slept = co_await world_.sleep_for(options_.election_timeout);
        if (!slept) co_return;
        if (stopping_ || ended_) co_return;
        if (status_.role == Role::leader || world_.steady_now() - last_heard_ < silence) continue;
        last_asked_ = next_to_ask();
        if (last_asked_.empty()) continue;
        auto greeted = co_await greet_member(last_asked_, Purpose::messages);
        if (!greeted && greeted.error().kind == Kind::cancelled) co_return;
        if (greeted) greeted.value().stream->reset();
    }
}

void RaftConsensus::forget_node(NodeId id) {
    links_.end(id);
    contacts_.erase(id);
    catching_up_.erase(id);
    shrunk_.erase(id);
    if (talking_.contains(id)) tasks_.spawn(end_streams_of(id));
}

asio::awaitable<void> RaftConsensus::end_streams_of(NodeId id) {
    co_await asio::this_coro::throw_if_cancelled(false);
    // It best learns of its removal from the log, which makes it durable there. After that, or when
    // that did not reach it, it opens the stream again and is told.
    auto slept = co_await world_.sleep_for(options_.network_timeout);
    if (!slept) co_return;
    const auto [first, last] = talking_.equal_range(id);
    std::for_each(first, last, [](const auto& item) { item.second->reset(); });
}

void RaftConsensus::tend_members(Engine& engine) {
    auto status = engine.status();
    if (!status || status.value().role != Role::leader || status.value().pending_change ||
        status.value().transferee != 0)
        return;
    auto progress = engine.progress();
    if (!progress) return;
    // A peer that came back without its data is a new member; the old one can never answer again.
    for (const auto& member : log_.members()) {
        const auto mine = log_.nodes().find(member.id);
        if (mine == log_.nodes().end() || member.id == node_id_) continue;
        for (const auto id : nodes_of(mine->second.peer)) {
            const auto other = log_.nodes().find(id);
            if (other == log_.nodes().end() ||
                other->second.added_index <= mine->second.added_index)
                continue;
            requests_.push_back([old = member.id](Engine& later) {
                return later.propose_change(ChangeOp::remove, old, {});
            });
            return;
        }
    }
    for (const auto& peer : progress.value()) {
        if (!peer.learner || !peer.recent_active || peer.in_snapshot) continue;
        // However short the log, one that needs a snapshot first has nothing to vote with, and its
        // link would decide whether we lead.
        if (peer.matched < log_.compacted().index) continue;
        if (peer.matched + kCaughtUpEntries < status.value().last_index) continue;
        // It may have come back with an earlier build.
        if (links_.announced(peer.id).value_or(0) <
            level_raise_.demanded(log_.facts().feature_level(), status.value().term))
            continue;
        requests_.push_back([id = peer.id, context = peer_of(peer.id).bytes()](Engine& later) {
            return later.propose_change(ChangeOp::add_voter, id, context);
        });
        return;
    }
}

}  // namespace ipfscluster::raft
