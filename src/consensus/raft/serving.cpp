// Streams that other peers open to us.
#include <fmt/format.h>

#include <algorithm>

#include "base/log.hpp"
#include "base/planted.hpp"
#include "consensus/raft/raft_consensus.hpp"

namespace ipfscluster::raft {

namespace {

/// eraftpb.MessageType; `from` of a leadership transfer is the node to lead.
constexpr std::uint32_t kTransferLeader = 13;
constexpr std::uint32_t kAppendResponse = 4;
constexpr std::uint32_t kHeartbeat = 8;
/// Streams on which one node sends messages.
constexpr std::size_t kMessageStreamsMax = 4;

std::string node_text(NodeId id) {
    return fmt::format("{:016x}", id);
}

}  // namespace

void RaftConsensus::accept(net::StreamPtr stream) {
    auto frames = std::make_unique<FrameStream>(std::move(stream));
    if (stopping_) return frames->reset();
    const auto& peer = frames->remote();
    if (auto place = places_.take(peer, !nodes_of(peer).empty())) {
        tasks_.spawn(serve(std::move(frames), std::move(*place)));
        return;
    }
    if (places_.first_refusal(peer))
        logger("raft")->warn("a stream is refused: too many are open peer={} open={}",
                             peer.to_string(), places_.open());
    auto place = places_.take_refusal(peer);
    if (!place) return frames->reset();
    tasks_.spawn(refuse(std::move(frames), std::move(*place)));
}

asio::awaitable<void> RaftConsensus::refuse(std::unique_ptr<FrameStream> stream,
                                            StreamPlaces::Place) {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto told = co_await refuse_politely(stream.get());
    if (!told) logger("raft")->debug("a refusal was not heard: {}", told.error().text);
    stream->reset();
}

Async<> RaftConsensus::refuse_politely(FrameStream* stream) {
    ICL_CO_TRY(auto said,
               co_await with_deadline<Bytes>(world_, options_.network_timeout, "raft hello",
                                             stream->expect(FrameType::hello)));
    HelloReply reply;
    reply.status = HelloStatus::refused;
    reply.text = "too many raft streams are open to it";
    ICL_CO_TRY(co_await stream->write(encode_frame(FrameType::hello_reply, encode(reply))));
    ICL_CO_TRY(co_await stream->close_write());
    auto end = co_await with_deadline<std::optional<Frame>>(world_, options_.network_timeout,
                                                            "end of a raft stream", stream->read());
    if (!end) co_return fail(end.error());
    co_return ok();
}

asio::awaitable<void> RaftConsensus::serve(std::unique_ptr<FrameStream> stream,
                                           StreamPlaces::Place) {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto served = co_await serve_checked(stream.get());
    if (!served && served.error().kind == Kind::corrupt)
        logger("raft")->warn("bad raft stream peer={} error=\"{}\"", stream->remote().to_string(),
                             served.error().text);
    stream->reset();
}

Async<> RaftConsensus::serve_checked(FrameStream* stream) {
    ICL_CO_TRY(auto bytes,
               co_await with_deadline<Bytes>(world_, options_.network_timeout, "raft hello",
                                             stream->expect(FrameType::hello)));
    ICL_CO_TRY(auto said, decode_hello(bytes));
    auto answered = co_await answer_hello(stream->remote(), said);
    if (!answered) co_return fail(answered.error());
    const auto reply = std::move(answered.value());
    ICL_CO_TRY(co_await stream->write(encode_frame(FrameType::hello_reply, encode(reply))));
    // A refusal has to be read by the opener before the stream goes.
    if (reply.status != HelloStatus::ok) said.purpose = Purpose::probe;
    switch (said.purpose) {
        case Purpose::messages:
            co_return co_await receive_messages(stream, said.node);
        case Purpose::snapshot: {
            ICL_CO_TRY(auto asked, co_await with_deadline<Bytes>(
                                       world_, options_.network_timeout, "raft snapshot request",
                                       stream->expect(FrameType::snapshot_request)));
            ICL_CO_TRY(auto wanted, decode_snapshot_request(asked));
            ICL_CO_TRY(co_await leases_.serve(stream, std::move(wanted), said.node));
            break;
        }
        case Purpose::change: {
            ICL_CO_TRY(co_await serve_change(stream, said.node));
            break;
        }
        default: {
            ICL_CO_TRY(co_await stream->close_write());
        }
    }
    // The opener ends the stream once it has read everything.
    auto end = co_await with_deadline<std::optional<Frame>>(world_, options_.network_timeout,
                                                            "end of a raft stream", stream->read());
    co_return ok();
}

Async<> RaftConsensus::serve_change(FrameStream* stream, NodeId from) {
    ICL_CO_TRY(auto asked, co_await with_deadline<Bytes>(
                               world_, options_.network_timeout, "raft change request",
                               stream->expect(FrameType::change_request)));
    ICL_CO_TRY(auto change, decode_change_request(asked));
    Result<> outcome = fail(Kind::conflict, "only a member may change the membership");
    if (std::any_of(log_.members().begin(), log_.members().end(),
                    [from](const Member& member) { return member.id == from; }))
        outcome = co_await propose_here(std::move(change));
    ChangeReply reply;
    if (!outcome) {
        reply.verdict =
            outcome.error().kind == Kind::conflict ? ChangeVerdict::refused : ChangeVerdict::later;
        reply.text = outcome.error().text;
    }
    ICL_CO_TRY(co_await stream->write(encode_frame(FrameType::change_reply, encode(reply))));
    co_return co_await stream->close_write();
}

bool RaftConsensus::knows(const PeerId& peer) {
    if (planted(Bug::founders_forgotten)) return false;
    // Only a founder has written down since the beginning whom it heard; anybody else gives the
    // careful answer.
    const auto own = log_.nodes().find(node_id_);
    const bool founder = own != log_.nodes().end() && own->second.added_index == 1;
    return std::any_of(log_.nodes().begin(), log_.nodes().end(), [&](const auto& item) {
        const auto& [id, record] = item;
        return record.peer == peer &&
               (record.removed || record.added_index > 1 || !founder || log_.has_seen(id));
    });
}

Async<HelloReply> RaftConsensus::answer_hello(PeerId remote, Hello said) {
    HelloReply reply;
    const auto own = hello(Purpose::messages);
    reply.node = own.node;
    reply.cluster_id = own.cluster_id;
    reply.feature_level = own.feature_level;
    reply.has_cluster = engine_ != nullptr && is_member();
    reply.knows_opener = knows(remote);
    reply.lists_opener = std::any_of(log_.nodes().begin(), log_.nodes().end(),
                                     [&](const auto& item) { return item.second.peer == remote; });
    auto refuse = [&reply](HelloStatus status, std::string text) {
        reply.status = status;
        reply.text = std::move(text);
        return reply;
    };
    if (stopping_ || ended_) co_return refuse(HelloStatus::refused, "consensus is closing");
    if (said.version != kWireVersion)
        co_return refuse(HelloStatus::wrong_version, "unknown version");
    if (!said.cluster_id.empty() && !own.cluster_id.empty() && said.cluster_id != own.cluster_id)
        co_return refuse(HelloStatus::wrong_cluster, "it was founded with other peers, or anew");
    if (said.purpose == Purpose::probe) {
        // A founder asks whether it may found with us.
        const bool asks_founder = said.node == 0 && !said.cluster_id.empty();
        if (asks_founder && !reply.has_cluster && own.cluster_id.empty())
            co_return refuse(HelloStatus::wrong_cluster, "it is no founder of that cluster");
        co_return reply;
    }
    if (engine_ == nullptr) co_return refuse(HelloStatus::not_ready, "not a member yet");
    const auto record = log_.nodes().find(said.node);
    const bool recorded = record != log_.nodes().end();
    if (recorded && record->second.removed) co_return refuse(HelloStatus::removed, "removed");
    if (recorded && record->second.peer != remote)
        co_return refuse(HelloStatus::refused, "the node id belongs to another peer");
    if (said.wanted != 0 && said.wanted != node_id_)
        co_return refuse(HelloStatus::another_node,
                         "it lost the data of node " + node_text(said.wanted) +
                             " or left its cluster, and is node " + node_text(node_id_));
    if (has_lost(said.node))
        co_return refuse(HelloStatus::lost,
                         "its log lacks entries that it had acknowledged, or has others there");
    if (said.purpose == Purpose::join) {
        if (!reply.has_cluster || nodes_of(remote).empty() || said.node == 0)
            co_return refuse(HelloStatus::refused, "not a member: add it with `peers add`");
        if (auto suffices = check_level(remote, said.feature_level); !suffices)
            co_return refuse(HelloStatus::refused, suffices.error().text);
        if (!recorded && !added_again_.contains(said.node)) {
            if (added_again_.size() >= kAddedAgainMax)
                co_return refuse(HelloStatus::refused, "too many peers are being added: ask again");
            tasks_.spawn(add_again(remote, said.node, said.feature_level));
        }
        co_return reply;
    }
    if (recorded && record->second.added_index == 1 && !log_.has_seen(said.node)) {
        // From here on this founder may not found again: see founding.cpp.
        storage::Batch batch;
        log_.set_seen(batch, said.node);
        ICL_CO_TRY(co_await store_.write_synced(std::move(batch)));
    }
    if (!recorded) contacts_.note(said.node, remote, world_.steady_now());
    co_return reply;
}

asio::awaitable<void> RaftConsensus::add_again(PeerId peer, NodeId node,
                                               std::uint32_t feature_level) {
    co_await asio::this_coro::throw_if_cancelled(false);
    added_again_.insert(node);
    auto added = co_await add_node(peer, node, feature_level);
    added_again_.erase(node);
    if (!added)
        logger("raft")->warn("a peer could not be added again peer={} error=\"{}\"",
                             peer.to_string(), added.error().text);
}

Async<> RaftConsensus::receive_messages(FrameStream* stream, NodeId from) {
    // It may have been removed while it was greeted.
    const auto record = log_.nodes().find(from);
    if (record != log_.nodes().end() && record->second.removed) co_return ok();
    const auto place = talking_.emplace(from, stream);
    // A node needs one. What is older than the newest few broke without anybody here noticing.
    if (talking_.count(from) > kMessageStreamsMax) talking_.lower_bound(from)->second->reset();
    auto ended = co_await take_messages(stream, from);
    talking_.erase(place);
    co_return ended;
}

Async<> RaftConsensus::take_messages(FrameStream* stream, NodeId from) {
    while (true) {
        auto frame = co_await stream->read();
        if (!frame) co_return fail(frame.error());
        if (!frame.value()) co_return ok();
        if (frame.value()->type != FrameType::message)
            co_return fail(Kind::corrupt, "raft stream: only messages may follow");
        auto message = std::move(frame.value()->payload);
        ICL_CO_TRY(auto info, read_message(message));
        if (info.from != from && info.type != kTransferLeader)
            co_return fail(Kind::corrupt, "raft stream: a message in another node's name");
        if (info.to != node_id_)
            co_return fail(Kind::corrupt, "raft stream: a message for another node than wanted");
        if (engine_ == nullptr || ended_) continue;
        if (hears_of_loss(info)) continue;
        if (shows_loss(info)) {
            // It opens the stream anew and is told.
            if (has_lost(from))
                co_return fail(Kind::invalid, "raft stream: the node has lost a part of its log");
            continue;
        }
        last_heard_ = world_.steady_now();
        if (info.snapshot.index != 0) {
            begin_fetch({stream->remote(), std::move(info), std::move(message)});
            continue;
        }
        take_message(std::move(message));
        while (inbox_bytes_ > kInboxBytesMax && !stopping_ && !ended_) {
            auto woken = co_await inbox_room_.wait();
            if (!woken) co_return fail(woken.error());
        }
    }
}

/// A log that is shorter than what its node acknowledged has lost synced entries: never for another
/// reason, since a node acknowledges what it has synced. The node sees it when the leader counts on
/// entries that it does not have.
bool RaftConsensus::hears_of_loss(const MessageInfo& info) {
    if (info.type != kHeartbeat || info.term < status_.term || info.commit <= log_.last_index())
        return false;
    end_with({Kind::corrupt, "synced data is missing: the log ends with entry " +
                                 std::to_string(log_.last_index()) +
                                 ", and this node has acknowledged entry " +
                                 std::to_string(info.commit) + " to the leader"});
    return true;
}

/// The leader sees it when the node refuses an append at or behind what it had acknowledged; such
/// an answer may be an old one that came late by another stream, so it counts when it comes again.
/// Or when the node has agreed entries that the leader never had: others lost them and went on.
/// None of it is for the engine, which would take the logs for equal.
bool RaftConsensus::shows_loss(const MessageInfo& info) {
    // The engine's own word: the driver may wait for the disk since it stepped down.
    const auto status = engine_->status();
    if (info.type != kAppendResponse || !status || status.value().role != Role::leader ||
        info.term != status.value().term)
        return false;
    const bool never_sent = !info.reject && info.index > log_.last_index();
    if (!info.reject && !never_sent) {
        if (!has_lost(info.from)) shrunk_.erase(info.from);
        return false;
    }
    const auto progress = engine_->progress();
    if (!progress) return false;
    const auto peer = std::find_if(progress.value().begin(), progress.value().end(),
                                   [&](const Progress& each) { return each.id == info.from; });
    if (peer == progress.value().end()) return false;
    if (!never_sent && info.reject_hint >= peer->matched && info.index > peer->matched)
        return false;
    const auto now = world_.steady_now();
    auto& seen = shrunk_.try_emplace(info.from, Shrunk{info.term, now, false}).first->second;
    if (seen.term != info.term) seen = {info.term, now, false};
    if (seen.certain || (!never_sent && now - seen.since < options_.election_timeout)) return true;
    seen.certain = true;
    logger("raft")->error(
        "the log of a member is not what it had acknowledged peer={} node={:016x} "
        "acknowledged={} answer={} hint={}",
        peer_of(info.from).to_string(), info.from, peer->matched, info.index, info.reject_hint);
    return true;
}

bool RaftConsensus::has_lost(NodeId id) const {
    const auto seen = shrunk_.find(id);
    if (seen == shrunk_.end() || !seen->second.certain || engine_ == nullptr) return false;
    const auto status = engine_->status();
    return status && status.value().role == Role::leader &&
           status.value().term == seen->second.term;
}

void RaftConsensus::take_message(Bytes message) {
    inbox_bytes_ += message.size();
    inbox_.push_back(std::move(message));
    wake_.notify_all();
}

bool RaftConsensus::supersedes(const SnapshotOffer& offer) const {
    // Another leader's, or a transfer that stands still; else what has come so far is worth more.
    return offer.info.from != fetching_->info.from || offer.info.term > fetching_->info.term ||
           world_.steady_now() - fetch_.moved >= kFetchStallMax;
}

void RaftConsensus::begin_fetch(SnapshotOffer offer) {
    if (fetched_) {
        // Its rows are staged and wait for the engine: another transfer would replace them.
        if (offer.info.token == fetched_->token) return take_message(std::move(offer.message));
        next_offer_ = std::move(offer);
        return;
    }
    if (!fetching_) {
        // Nothing to fetch: the engine will say what it has.
        if (offer.info.snapshot.index <= log_.applied().index)
            return take_message(std::move(offer.message));
        return start_fetch(std::move(offer));
    }
    // One at a time, and one of a past leader is worth nothing.
    if (offer.info.term < fetching_->info.term) return;
    if (offer.info.token == fetching_->info.token) {
        // The same again, of a later term perhaps: the engine takes no message of a past one.
        *fetching_ = std::move(offer);
        return;
    }
    next_offer_ = std::move(offer);
    other_offer_.notify_all();
}

Async<> RaftConsensus::wait_superseded() {
    co_await asio::this_coro::throw_if_cancelled(false);
    while (!next_offer_ || !supersedes(*next_offer_)) {
        // What was well under way when the offer came may stand still later.
        auto woken = co_await with_deadline<void>(world_, kFetchStallMax / 2, "another offer",
                                                  other_offer_.wait());
        if (!woken && woken.error().kind == Kind::cancelled) co_return fail(woken.error());
    }
    co_return ok();
}

void RaftConsensus::start_fetch(SnapshotOffer offer) {
    fetching_ = std::move(offer);
    fetch_.moved = world_.steady_now();
    if (!tasks_.spawn(run_fetch())) fetching_.reset();
}

asio::awaitable<void> RaftConsensus::run_fetch() {
    using namespace asio::experimental::awaitable_operators;
    co_await asio::this_coro::throw_if_cancelled(false);
    const auto from = fetching_->from;
    const auto info = fetching_->info;
    const auto index = info.snapshot.index;
    logger("raft")->info("fetching a snapshot peer={} index={}", from.to_string(), index);
    auto first = co_await (detail::as_optional<FetchedSnapshot>(fetch_snapshot(
                               world_, host_, state_, from, hello(Purpose::snapshot, info.from),
                               info, options_.network_timeout, &fetch_)) ||
                           detail::as_optional<void>(wait_superseded()));
    auto message = std::move(fetching_->message);
    fetching_.reset();
    auto next = std::exchange(next_offer_, std::nullopt);
    if (first.index() == 1) {
        if (!*std::get<1>(first)) co_return;
        logger("raft")->info("a snapshot transfer gives way to a newer offer index={}", index);
    } else {
        auto& fetched = *std::get<0>(first);
        if (fetched && fetched.value().facts.feature_level() > options_.feature_level)
            co_return end_with(
                {Kind::unsupported, "the cluster has feature level " +
                                        std::to_string(fetched.value().facts.feature_level()) +
                                        ", this build knows levels up to " +
                                        std::to_string(options_.feature_level) +
                                        ": install a newer build"});
        if (fetched && !stopping_ && engine_) {
            fetched_ = std::move(fetched.value());
            co_return take_message(std::move(message));
        }
        if (!fetched && fetched.error().kind == Kind::cancelled) co_return;
        if (!fetched)
            logger("raft")->warn("snapshot transfer failed index={} error=\"{}\"", index,
                                 fetched.error().text);
    }
    if (next && !stopping_ && !ended_) begin_fetch(std::move(*next));
}

}  // namespace ipfscluster::raft
