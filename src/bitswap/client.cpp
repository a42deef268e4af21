#include "bitswap/client.hpp"

#include <algorithm>

namespace ipfscluster::bitswap {

Client::Client(World& world, net::Host& host, TaskGroup& tasks)
    : world_(world), host_(host), tasks_(tasks), room_(world.executor()) {}

/// Counts one fetch as a user of its want, also when its coroutine is destroyed.
class Client::Hold {
 public:
    Hold(Client& client, WantPtr want) : client_(client), want_(std::move(want)) { ++want_->users; }
    ~Hold() {
        if (--want_->users == 0) client_.release(want_);
    }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

 private:
    Client& client_;
    WantPtr want_;
};

Async<Bytes> Client::fetch(std::shared_ptr<SessionState> session, Cid cid, Duration limit) {
    const auto end = world_.steady_now() + std::chrono::duration_cast<SteadyTime::duration>(limit);
    const Bytes key(cid.multihash());
    const std::string what = "block " + cid.to_string();
    while (wants_.size() >= kWantsMax && !wants_.contains(key)) {
        const auto left = end - world_.steady_now();
        if (left <= Duration::zero())
            co_return fail(Kind::timeout, what + ": too many wants are open");
        ICL_CO_TRY(co_await with_deadline(world_, left, what, room_.wait()));
    }
    auto& slot = wants_[key];
    if (!slot) slot = std::make_shared<Want>(std::move(cid), world_.executor());
    const WantPtr want = slot;
    const Hold hold(*this, want);
    while (true) {
        if (want->data) {
            ++session->delivered[want->from];
            if (want->users > 1) co_return *want->data;
            co_return std::move(*want->data);
        }
        const auto now = world_.steady_now();
        if (now >= end) {
            for (const auto& [peer, told] : want->peers) session->asked.insert(peer);
            co_return fail(Kind::timeout, what + ": nobody has delivered it");
        }
        const auto again = std::min(drive(*want, *session), end);
        auto waited = co_await with_deadline(world_, again - now, what, want->changed.wait());
        if (!waited && waited.error().kind != Kind::timeout) co_return fail(waited.error());
    }
}

SteadyTime Client::drive(Want& want, SessionState& session) {
    const auto now = world_.steady_now();
    if (want.asked) {
        if (now < want.asked_until) return want.asked_until;
        want.peers[*want.asked].refused = true;
        want.asked.reset();
    }
    if (const auto peer = choose(want, session)) {
        ask_for_block(want, session, *peer);
        return want.asked_until;
    }
    if (now >= want.next_broadcast) {
        ask_all(want, session);
        want.next_broadcast = now + std::chrono::duration_cast<SteadyTime::duration>(want.pause);
        want.pause = std::min<Duration>(want.pause * 2, kRebroadcastMax);
    }
    return want.next_broadcast;
}

/// Who said that it has the block, else who has delivered to this session before and was not asked
/// yet.
std::optional<PeerId> Client::choose(const Want& want, const SessionState& session) const {
    std::optional<PeerId> best;
    std::uint64_t best_score = 0;
    const auto consider = [&](const PeerId& peer, std::uint64_t score) {
        if (score <= best_score || !host_.connected(peer)) return;
        if (const auto at = links_.find(peer); at != links_.end() && !at->second->usable()) return;
        best = peer;
        best_score = score;
    };
    for (const auto& [peer, told] : want.peers)
        if (told.has && !told.refused) {
            // At random, so that several holders share the load.
            consider(peer, 0x20000 | (world_.random_u64() & 0xffff));
        }
    if (best) return best;
    // Now and then all are asked at once, which finds further holders.
    if (want.peers.empty() && world_.random_u64() % kAskAllOneIn == 0) return best;
    for (const auto& [peer, count] : session.delivered)
        if (!want.peers.contains(peer)) consider(peer, 1 + (world_.random_u64() & 0xffff));
    return best;
}

void Client::ask_for_block(Want& want, SessionState& session, const PeerId& peer) {
    want.peers[peer].wanted = true;
    want.asked = peer;
    want.asked_until = world_.steady_now() +
                       std::chrono::duration_cast<SteadyTime::duration>(Duration(kBlockWaitMax));
    session.asked.insert(peer);
    link(peer).send({want.cid, 1, false, WantType::block, true});
}

void Client::ask_all(Want& want, SessionState& session) {
    for (const auto& peer : host_.connected_peers()) {
        auto& to = link(peer);
        if (!to.usable()) continue;
        auto& told = want.peers[peer];
        // Who refused may have got it meanwhile.
        told = {true, false, false};
        session.asked.insert(peer);
        to.send({want.cid, 1, false, WantType::have, true});
    }
}

WantLink& Client::link(const PeerId& peer) {
    auto& at = links_[peer];
    if (!at)
        at = std::make_shared<WantLink>(world_, host_, tasks_, peer,
                                        [this](const PeerId& lost) { on_unreachable(lost); });
    return *at;
}

bool Client::on_block(const PeerId& from, dag::Block block) {
    const auto it = wants_.find(block.cid.multihash());
    if (it == wants_.end() || it->second->data) return false;
    it->second->data = std::move(block.data);
    it->second->from = from;
    it->second->changed.notify_all();
    return true;
}

void Client::on_presence(const PeerId& from, const Presence& presence) {
    const auto it = wants_.find(presence.cid.multihash());
    if (it == wants_.end()) return;
    auto& want = *it->second;
    const auto told = want.peers.find(from);
    if (told == want.peers.end()) return;  // never asked: a guess must not grow our tables
    told->second.has = presence.have;
    told->second.refused = !presence.have;
    if (!presence.have && want.asked == from) want.asked.reset();
    want.changed.notify_all();
}

void Client::on_connected(const PeerId& peer) {
    for (auto& [multihash, want] : wants_) {
        want->peers[peer] = {true, false, false};
        link(peer).send({want->cid, 1, false, WantType::have, true});
    }
}

void Client::on_disconnected(const PeerId& peer) {
    if (const auto it = links_.find(peer); it != links_.end()) {
        it->second->reset();
        links_.erase(it);
    }
    on_unreachable(peer);
}

void Client::on_unreachable(const PeerId& peer) {
    for (auto& [multihash, want] : wants_) {
        if (want->peers.erase(peer) == 0) continue;
        if (want->asked == peer) want->asked.reset();
        want->changed.notify_all();
    }
}

void Client::release(const WantPtr& want) {
    for (const auto& [peer, told] : want->peers) {
        if (!told.wanted || !host_.connected(peer)) continue;
        if (want->data && peer == want->from) continue;  // it strikes the want off by itself
        link(peer).send({want->cid, 0, true, WantType::block, false});
    }
    wants_.erase(wants_.find(want->cid.multihash()));
    room_.notify_one();
}

}  // namespace ipfscluster::bitswap
