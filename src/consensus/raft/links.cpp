#include "consensus/raft/links.hpp"

#include <algorithm>

#include "base/planted.hpp"

namespace ipfscluster::raft {

namespace {

Result<> judge(const HelloReply& reply, const PeerId& peer) {
    const auto who = "peer " + peer.to_string();
    const auto other_version = [&] {
        return fail(Kind::denied, who + " speaks version " + std::to_string(reply.version) +
                                      " of the raft protocol, we speak " +
                                      std::to_string(kWireVersion));
    };
    if (reply.version != kWireVersion) return other_version();
    switch (reply.status) {
        case HelloStatus::ok:
            return ok();
        case HelloStatus::wrong_version:
            return other_version();
        case HelloStatus::wrong_cluster:
            return fail(Kind::denied, who + " belongs to another cluster: " + reply.text);
        case HelloStatus::removed:
            return fail(Kind::conflict, who + " says that this peer was removed from the cluster");
        case HelloStatus::not_ready:
            return fail(Kind::unavailable, who + " has not joined a cluster yet");
        case HelloStatus::lost:
            return fail(Kind::invalid, who + " leads, and says of this node: " + reply.text);
        case HelloStatus::another_node:
            return fail(Kind::not_found, who + " is another node now: " + reply.text);
        default:
            return fail(Kind::unavailable, who + " refused: " + reply.text);
    }
}

Async<Greeted> greet_unbounded(net::Host& host, PeerId peer, Hello hello, Duration limit) {
    std::vector<std::string> protocols(1, kRaftProtocol);
    auto opened = co_await host.open(peer, std::move(protocols), limit);
    // These are kept for the one meaning each that the callers act on.
    if (!opened && (opened.error().kind == Kind::conflict ||
                    opened.error().kind == Kind::not_found || opened.error().kind == Kind::invalid))
        co_return fail(Kind::unavailable, opened.error().text);
    if (!opened) co_return fail(opened.error());
    Greeted out;
    out.stream = std::make_unique<FrameStream>(std::move(opened.value()));
    auto wrote = co_await out.stream->write(encode_frame(FrameType::hello, encode(hello)));
    if (!wrote) co_return fail(wrote.error());
    auto answer = co_await out.stream->expect(FrameType::hello_reply);
    if (!answer) co_return fail(answer.error());
    ICL_CO_TRY(auto reply, decode_hello_reply(answer.value()));
    out.reply = std::move(reply);
    auto verdict = judge(out.reply, peer);
    if (!verdict) co_return fail(verdict.error());
    co_return std::move(out);
}

}  // namespace

Async<Greeted> greet(World& world, net::Host& host, PeerId peer, Hello hello, Duration limit) {
    // Named: arguments are evaluated in no given order, and one of them takes the peer away.
    auto what = "raft hello to " + peer.short_name();
    return with_deadline<Greeted>(world, limit, std::move(what),
                                  greet_unbounded(host, std::move(peer), std::move(hello), limit));
}

Links::Links(World& world, net::Host& host, TaskGroup& tasks, Duration network_timeout,
             LinkEvents events)
    : world_(world),
      host_(host),
      tasks_(tasks),
      network_timeout_(network_timeout),
      events_(std::move(events)) {}

bool Links::send(NodeId to, const PeerId& peer, Bytes message, std::uint64_t snapshot_index) {
    given_bytes_ += message.size();
    auto& slot = links_[to];
    if (!slot) {
        slot = std::make_unique<Link>(world_.executor());
        slot->id = to;
        slot->peer = peer;
        if (!tasks_.spawn(run(slot.get()))) {
            links_.erase(to);
            return false;
        }
    }
    if (slot->queue.size() >= kLinkMessagesMax || slot->bytes + message.size() > kLinkBytesMax)
        return false;
    slot->queue.push_back(encode_frame(FrameType::message, message));
    slot->bytes += slot->queue.back().size();
    if (snapshot_index != 0) slot->offered = snapshot_index;
    slot->wake.notify_one();
    return true;
}

void Links::end(NodeId id) {
    const auto found = links_.find(id);
    if (found == links_.end() || planted(Bug::links_outlive_nodes)) return;
    found->second->ending = true;
    found->second->wake.notify_one();
}

void Links::drop_queue(Link& link) {
    link.queue.clear();
    link.bytes = 0;
    if (link.ending) return;
    events_.unreachable(link.id);
    // While it believes a snapshot to be on its way the engine does not care who is unreachable.
    if (const auto lost = std::exchange(link.offered, 0); lost != 0)
        events_.snapshot_lost(link.id, lost);
}

std::optional<std::uint32_t> Links::announced(NodeId id) const {
    const auto found = links_.find(id);
    return found != links_.end() ? found->second->announced : std::nullopt;
}

asio::awaitable<void> Links::run(Link* link) {
    co_await asio::this_coro::throw_if_cancelled(false);
    const auto id = link->id;
    co_await run_until_end(link);
    links_.erase(id);
}

asio::awaitable<void> Links::run_until_end(Link* link) {
    co_await asio::this_coro::throw_if_cancelled(false);
    Duration pause = kLinkRetryMin;
    while (true) {
        while (link->queue.empty()) {
            if (link->ending) co_return;
            auto woken = co_await link->wake.wait();
            if (!woken) co_return;
        }
        auto greeted =
            co_await greet(world_, host_, link->peer, events_.hello(link->id), network_timeout_);
        if (tasks_.stopping()) co_return;
        if (greeted) {
            pause = kLinkRetryMin;
            link->refused = false;
            link->announced = greeted.value().reply.feature_level;
            auto ended = co_await pump(link, greeted.value().stream.get());
            link->announced.reset();
            greeted.value().stream->reset();
            if (!ended && ended.error().kind == Kind::cancelled) co_return;
        } else {
            const auto kind = greeted.error().kind;
            const bool told = kind == Kind::denied || kind == Kind::not_found;
            events_.refused(link->id, greeted.error(), told && !std::exchange(link->refused, true));
        }
        if (tasks_.stopping()) co_return;
        drop_queue(*link);
        if (link->ending) co_return;
        auto slept = co_await world_.sleep_for(pause);
        if (!slept) co_return;
        pause = std::min(pause * 2, kLinkRetryMax);
    }
}

/// Ends only with the stream, and without an error only when the link ends.
Async<> Links::pump(Link* link, FrameStream* stream) {
    while (true) {
        while (link->queue.empty()) {
            if (link->ending) co_return co_await finish(stream);
            auto woken = co_await link->wake.wait();
            if (!woken) co_return fail(woken.error());
        }
        Bytes out;
        while (!link->queue.empty() && (out.empty() || out.size() < kLinkWriteBytesMax)) {
            link->bytes -= link->queue.front().size();
            out += link->queue.front();
            link->queue.pop_front();
        }
        auto wrote = co_await with_deadline<void>(world_, network_timeout_, "raft messages",
                                                  stream->write(std::move(out)));
        if (!wrote) co_return fail(wrote.error());
        if (link->queue.empty()) link->offered = 0;
    }
}

/// What was written last is lost with a stream that is reset before it was read.
Async<> Links::finish(FrameStream* stream) {
    ICL_CO_TRY(co_await stream->close_write());
    auto end = co_await with_deadline<std::optional<Frame>>(world_, network_timeout_,
                                                            "end of a raft link", stream->read());
    if (!end) co_return fail(end.error());
    co_return ok();
}

}  // namespace ipfscluster::raft
