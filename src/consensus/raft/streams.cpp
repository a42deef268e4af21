#include "consensus/raft/streams.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "base/planted.hpp"
#include "consensus/raft/message_check.hpp"

namespace ipfscluster::raft {

void Streams::accept(net::StreamPtr stream) {
    auto frames = std::make_unique<FrameStream>(std::move(stream));
    if (p_.life.stopping()) return frames->reset();
    const auto& peer = frames->remote();
    if (auto place = places_.take(peer, !p_.roster.nodes_of(peer).empty())) {
        p_.tasks.spawn(serve(std::move(frames), std::move(*place)));
        return;
    }
    if (places_.first_refusal(peer))
        logger("raft")->warn("a stream is refused: too many are open peer={} open={}",
                             peer.to_string(), places_.open());
    auto place = places_.take_refusal(peer);
    if (!place) return frames->reset();
    p_.tasks.spawn(refuse(std::move(frames), std::move(*place)));
}

asio::awaitable<void> Streams::refuse(std::unique_ptr<FrameStream> stream,
                                      net::StreamPlaces::Place) {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto told = co_await refuse_politely(stream.get());
    if (!told) logger("raft")->debug("a refusal was not heard: {}", told.error().text);
    stream->reset();
}

Async<> Streams::refuse_politely(FrameStream* stream) {
    ICL_CO_TRY(auto said,
               co_await with_deadline<Bytes>(p_.world, kHelloLimit, "raft hello",
                                             stream->expect(FrameType::hello, kHelloBytesMax)));
    HelloReply reply;
    reply.status = HelloStatus::refused;
    reply.text = "too many raft streams are open to it";
    ICL_CO_TRY(co_await stream->write(encode_frame(FrameType::hello_reply, encode(reply))));
    ICL_CO_TRY(co_await stream->close_write());
    auto end = co_await with_deadline<std::optional<Frame>>(p_.world, p_.options.network_timeout,
                                                            "end of a raft stream", stream->read());
    if (!end) co_return fail(end.error());
    co_return ok();
}

asio::awaitable<void> Streams::serve(std::unique_ptr<FrameStream> stream,
                                     net::StreamPlaces::Place) {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto served = co_await serve_checked(stream.get());
    if (!served && served.error().kind == Kind::corrupt)
        logger("raft")->warn("bad raft stream peer={} error=\"{}\"", stream->remote().to_string(),
                             served.error().text);
    stream->reset();
}

/// hello → hello_reply → what the purpose says → the opener ends the stream.
Async<> Streams::serve_checked(FrameStream* stream) {
    ICL_CO_TRY(auto bytes,
               co_await with_deadline<Bytes>(p_.world, kHelloLimit, "raft hello",
                                             stream->expect(FrameType::hello, kHelloBytesMax)));
    ICL_CO_TRY(const auto said, decode_hello(bytes));
    ICL_CO_TRY(const auto reply, co_await answer(stream->remote(), said));
    ICL_CO_TRY(co_await stream->write(encode_frame(FrameType::hello_reply, encode(reply))));
    // A refusal has to be read by the opener before the stream goes.
    const auto purpose = reply.status == HelloStatus::ok ? said.purpose : Purpose::probe;
    ICL_CO_TRY(co_await serve_purpose(stream, purpose, said.node));
    if (purpose == Purpose::messages) co_return ok();
    auto end = co_await with_deadline<std::optional<Frame>>(p_.world, p_.options.network_timeout,
                                                            "end of a raft stream", stream->read());
    if (!end) co_return fail(end.error());
    co_return ok();
}

Async<> Streams::serve_purpose(FrameStream* stream, Purpose purpose, NodeId from) {
    switch (purpose) {
        case Purpose::messages:
            return receive_messages(stream, from);
        case Purpose::snapshot:
            return serve_snapshot(stream, from);
        case Purpose::change:
            return serve_change(stream, from);
        default:
            return stream->close_write();
    }
}

Async<> Streams::serve_snapshot(FrameStream* stream, NodeId to) {
    ICL_CO_TRY(auto asked, co_await with_deadline<Bytes>(
                               p_.world, p_.options.network_timeout, "raft snapshot request",
                               stream->expect(FrameType::snapshot_request, kHelloBytesMax)));
    ICL_CO_TRY(auto wanted, decode_snapshot_request(asked));
    co_return co_await p_.leases.serve(stream, std::move(wanted), to);
}

Async<> Streams::serve_change(FrameStream* stream, NodeId from) {
    ICL_CO_TRY(auto asked, co_await with_deadline<Bytes>(
                               p_.world, p_.options.network_timeout, "raft change request",
                               stream->expect(FrameType::change_request, kHelloBytesMax)));
    ICL_CO_TRY(auto change, decode_change_request(asked));
    Result<> outcome = fail(Kind::conflict, "only a member may change the membership");
    if (p_.roster.has(from)) outcome = co_await p_.duties.change(std::move(change));
    ChangeReply reply;
    if (!outcome) {
        reply.verdict =
            outcome.error().kind == Kind::conflict ? ChangeVerdict::refused : ChangeVerdict::later;
        reply.text = outcome.error().text;
    }
    ICL_CO_TRY(co_await stream->write(encode_frame(FrameType::change_reply, encode(reply))));
    co_return co_await stream->close_write();
}

bool Streams::knows(const PeerId& peer) const {
    if (planted(Bug::founders_forgotten)) return false;
    // Only a founder has written down since the beginning whom it heard; anybody else gives the
    // careful answer.
    const auto* own = p_.roster.record(p_.roster.node());
    const bool founder = own != nullptr && own->added_index == 1;
    const auto& nodes = p_.log.nodes();
    return std::any_of(nodes.begin(), nodes.end(), [&](const auto& item) {
        const auto& [id, record] = item;
        return record.peer == peer &&
               (record.removed || record.added_index > 1 || !founder || p_.log.has_seen(id));
    });
}

DoorFacts Streams::facts(const PeerId& opener, const Hello& said) const {
    const auto own = p_.roster.hello(Purpose::messages);
    const auto& nodes = p_.log.nodes();
    DoorFacts out;
    out.over = p_.life.over();
    out.runs = p_.driver.running();
    out.member = p_.roster.is_member();
    out.node = own.node;
    out.cluster_id = own.cluster_id;
    out.feature_level = own.feature_level;
    out.level_in_force = p_.log.facts().feature_level();
    out.added_again = p_.changes.added_again();
    out.opener = opener;
    out.opener_is_member = !p_.roster.nodes_of(opener).empty();
    out.opener_known = knows(opener);
    out.opener_listed = std::any_of(nodes.begin(), nodes.end(),
                                    [&](const auto& item) { return item.second.peer == opener; });
    if (const auto* record = p_.roster.record(said.node)) out.record = *record;
    out.coming = !opener.empty() && p_.roster.expected_peer(said.node) == opener;
    out.seen = out.record && out.record->added_index == 1 && p_.log.has_seen(said.node);
    out.lost = p_.loss.has_lost(said.node);
    out.being_added = p_.changes.adds_again(said.node);
    if (said.about != 0) out.about = p_.roster.expected_peer(said.about).bytes();
    return out;
}

Async<HelloReply> Streams::answer(PeerId opener, Hello said) {
    auto answered = answer_hello(said, facts(opener, said));
    if (answered.act == DoorAnswer::Act::vouch) {
        ICL_CO_TRY(const bool vouched, co_await p_.vouching.ask(said.node, opener));
        auto now = facts(opener, said);
        now.vouched = vouched;
        answered = answer_hello(said, now);
    }
    switch (answered.act) {
        case DoorAnswer::Act::write_seen: {
            // From here on this founder may not found again: see founding.hpp.
            storage::Batch batch;
            p_.log.set_seen(batch, said.node);
            ICL_CO_TRY(co_await p_.store.write_synced(std::move(batch)));
            break;
        }
        case DoorAnswer::Act::note:
            p_.roster.contacts().note(said.node, opener, said.cluster_id, p_.world.steady_now());
            break;
        case DoorAnswer::Act::add_again:
            p_.tasks.spawn(p_.changes.add_again(opener, said.node, said.feature_level));
            break;
        default:
            break;
    }
    co_return std::move(answered.reply);
}

/// A node needs one stream. An older one broke without anybody here noticing.
Async<> Streams::receive_messages(FrameStream* stream, NodeId from) {
    // It may have been removed while it was greeted.
    if (p_.roster.is_removed(from)) co_return ok();
    auto& talking = talking_[from];
    if (talking != nullptr) talking->reset();
    talking = stream;
    auto ended = co_await take_messages(stream, from);
    if (const auto mine = talking_.find(from); mine != talking_.end() && mine->second == stream)
        talking_.erase(mine);
    co_return ended;
}

Async<> Streams::take_messages(FrameStream* stream, NodeId from) {
    while (true) {
        ICL_CO_TRY(auto frame, co_await stream->read());
        if (!frame) co_return ok();
        if (frame->type != FrameType::message)
            co_return fail(Kind::corrupt, "raft stream: only messages may follow");
        ICL_CO_TRY(co_await take_message(stream, from, std::move(frame->payload)));
    }
}

Async<> Streams::take_message(FrameStream* stream, NodeId from, Bytes message) {
    ICL_CO_TRY(auto info, read_message(message));
    ICL_CO_TRY(check_sender(info, from, p_.roster.node(),
                            [this](NodeId id) { return !p_.roster.expected_peer(id).empty(); }));
    ICL_CO_TRY(check_proposal(info, message, p_.options.feature_level));
    if (!p_.driver.running() || p_.life.ended()) co_return ok();
    if (p_.loss.hears_of_loss(info)) co_return ok();
    if (p_.loss.shows_loss(info)) {
        // It opens the stream anew and is told.
        if (p_.loss.has_lost(from))
            co_return fail(Kind::invalid, "raft stream: the node has lost a part of its log");
        co_return ok();
    }
    p_.lookout.heard();
    if (info.snapshot.index != 0) {
        p_.fetch.offer({stream->remote(), std::move(info), std::move(message)});
        co_return ok();
    }
    p_.driver.take_message(std::move(message));
    co_return co_await p_.driver.wait_room();
}

void Streams::forget(NodeId id) {
    if (talking_.contains(id)) p_.tasks.spawn(end_streams_of(id));
}

asio::awaitable<void> Streams::end_streams_of(NodeId id) {
    co_await asio::this_coro::throw_if_cancelled(false);
    // It best learns of its removal from the log, which makes it durable there. After that, or when
    // that did not reach it, it opens the stream again and is told.
    auto slept = co_await p_.world.sleep_for(p_.options.network_timeout);
    if (!slept) co_return;
    if (const auto found = talking_.find(id); found != talking_.end()) found->second->reset();
}

}  // namespace ipfscluster::raft
