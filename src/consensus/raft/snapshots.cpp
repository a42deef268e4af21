#include "consensus/raft/snapshots.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "base/planted.hpp"
#include "consensus/raft/links.hpp"
#include "runtime/join.hpp"

namespace ipfscluster::raft {

Result<SnapshotMeta> SnapshotLeases::make(std::uint64_t request_index, NodeId to, NodeId self) {
    if (held_) return fail(Kind::retryable, "entries are being applied");
    const auto now = world_.steady_now();
    for (auto& [id, lease] : leases_) {
        if (lease->meta.at.index < request_index || lease->meta.at.index < log_.compacted().index)
            continue;
        if (const auto known = lease->followers.find(to); known != lease->followers.end()) {
            known->second = {std::nullopt, now};
            return lease->meta;
        }
        // Members that joined since are not in an older lease's configuration.
        const bool same_members = lease->meta.conf_state == log_.conf_state();
        if (now - lease->made > kSnapshotShareMax || !same_members) continue;
        lease->followers[to] = {std::nullopt, now};
        lease->used = now;
        return lease->meta;
    }
    make_room(now);
    if (leases_.size() >= kSnapshotLeasesMax)
        return fail(Kind::retryable, "too many open snapshots");
    if (log_.applied().index < request_index) return fail(Kind::retryable, "not applied yet");
    auto lease = std::make_shared<Lease>();
    lease->view = store_.snapshot();
    const auto id = world_.random_u64();
    lease->meta = {log_.applied(), log_.conf_state(), encode(SnapshotToken{id, self})};
    lease->nodes = log_.nodes();
    lease->facts = log_.facts();
    lease->cluster_id = log_.cluster_id();
    lease->followers[to] = {std::nullopt, now};
    lease->made = lease->used = now;
    auto meta = lease->meta;
    leases_.emplace(id, std::move(lease));
    return meta;
}

/// One that is only kept for somebody who may come back gives way to one that is wanted now.
void SnapshotLeases::make_room(SteadyTime now) {
    if (leases_.size() < kSnapshotLeasesMax) return;
    const auto oldest = std::min_element(
        leases_.begin(), leases_.end(),
        [](const auto& a, const auto& b) { return a.second->used < b.second->used; });
    if (now - oldest->second->used >= kSnapshotIdleMax) leases_.erase(oldest);
}

Async<> SnapshotLeases::serve(FrameStream* stream, SnapshotRequest request, NodeId to) {
    auto sent = co_await send_pieces(stream, std::move(request), to);
    if (!sent && sent.error().kind != Kind::cancelled) {
        auto told = co_await stream->write(encode_frame(FrameType::error, sent.error().text));
        if (!told) co_return fail(sent.error());
    }
    co_return sent;
}

Async<> SnapshotLeases::send_pieces(FrameStream* stream, SnapshotRequest request, NodeId to) {
    const auto found = leases_.find(request.token.lease);
    if (found == leases_.end()) co_return fail(Kind::not_found, "the snapshot is no longer held");
    const auto lease = found->second;
    Bytes after = request.after;
    Bytes digest = request.digest;
    auto rows = request.rows;
    while (true) {
        lease->used = world_.steady_now();
        if (const auto told = lease->followers.find(to); told != lease->followers.end())
            told->second.moved = lease->used;
        ICL_CO_TRY(auto piece, state_.read_snapshot(lease->view, after, kSnapshotPieceBytes));
        digest = chain_digest(digest, piece.rows);
        rows += piece.row_count;
        if (!piece.last_key.empty()) after = piece.last_key;
        const bool last = piece.last;
        SnapshotPieceFrame frame{std::move(piece.rows), piece.last_key, piece.row_count, last};
        // A follower that has fallen silent must not keep the frozen view, and with it old data on
        // the disk, for ever.
        auto bytes = encode_frame(FrameType::snapshot_piece, encode(frame));
        ICL_CO_TRY(co_await with_deadline<void>(world_, kSnapshotIdleMax, "raft snapshot piece",
                                                stream->write(std::move(bytes))));
        if (last) break;
    }
    const SnapshotEnd end{rows, digest, lease->cluster_id, lease->nodes, lease->facts};
    ICL_CO_TRY(co_await stream->write(encode_frame(FrameType::snapshot_end, encode(end))));
    lease->used = world_.steady_now();
    if (const auto told = lease->followers.find(to); told != lease->followers.end())
        told->second = {lease->used, lease->used};
    co_return co_await stream->close_write();
}

std::vector<PromisedSnapshot> SnapshotLeases::idle(SteadyTime now) const {
    std::vector<PromisedSnapshot> out;
    for (const auto& [id, lease] : leases_)
        for (const auto& [node, follower] : lease->followers)
            if (!follower.sent && now - follower.moved >= kSnapshotIdleMax)
                out.push_back({node, lease->meta.at.index});
    return out;
}

std::vector<PromisedSnapshot> SnapshotLeases::unconfirmed(SteadyTime now) const {
    std::vector<PromisedSnapshot> out;
    for (const auto& [id, lease] : leases_)
        for (const auto& [node, follower] : lease->followers)
            if (follower.sent && now - *follower.sent >= kSnapshotConfirmMax)
                out.push_back({node, lease->meta.at.index});
    return out;
}

const SnapshotLeases::Follower* SnapshotLeases::find(const PromisedSnapshot& promise) const {
    for (const auto& [id, lease] : leases_) {
        const auto found = lease->followers.find(promise.to);
        if (lease->meta.at.index == promise.index && found != lease->followers.end())
            return &found->second;
    }
    return nullptr;
}

bool SnapshotLeases::holds(const PromisedSnapshot& promise) const {
    return find(promise) != nullptr;
}

std::optional<SteadyTime> SnapshotLeases::moved(const PromisedSnapshot& promise) const {
    const auto* follower = find(promise);
    return follower != nullptr ? std::optional(follower->moved) : std::nullopt;
}

void SnapshotLeases::keep_needed(const std::vector<Progress>& followers, SteadyTime now) {
    std::erase_if(leases_, [&](const auto& item) {
        auto& lease = *item.second;
        // We may lead again soon, and those who were cut off with us go on.
        if (followers.empty()) return now - lease.used >= kSnapshotKeepMax;
        std::erase_if(lease.followers, [&](const auto& promised) {
            return std::none_of(followers.begin(), followers.end(), [&](const Progress& each) {
                return each.id == promised.first && each.matched < lease.meta.at.index;
            });
        });
        return lease.followers.empty() || now - lease.used >= kSnapshotKeepMax;
    });
}

namespace {

Async<SnapshotEnd> fetch_from(World& world, net::Host& host, state::State& state, PeerId from,
                              Hello hello, FetchProgress* at, Duration network_timeout) {
    ICL_CO_TRY(auto greeted, co_await greet(world, host, from, hello, network_timeout));
    auto* stream = greeted.stream.get();
    auto request = encode_frame(FrameType::snapshot_request, encode(at->next));
    ICL_CO_TRY(co_await with_deadline<void>(world, network_timeout, "raft snapshot request",
                                            stream->write(std::move(request))));
    while (!at->rows_complete) {
        ICL_CO_TRY(auto bytes,
                   co_await with_deadline<Bytes>(world, network_timeout, "raft snapshot piece",
                                                 stream->expect(FrameType::snapshot_piece)));
        ICL_CO_TRY(auto frame, decode_snapshot_piece(bytes));
        state::State::SnapshotPiece piece{std::move(frame.rows), std::move(frame.last_key),
                                          frame.row_count, frame.last};
        ICL_CO_TRY(co_await state.room());
        ICL_CO_TRY(state.stage(piece));
        at->next.digest = chain_digest(at->next.digest, piece.rows);
        if (!piece.last_key.empty()) at->next.after = piece.last_key;
        at->next.rows += piece.row_count;
        at->rows_complete = piece.last;
        at->moved = world.steady_now();
        ICL_CO_TRY(co_await check_cancelled());
    }
    ICL_CO_TRY(auto bytes,
               co_await with_deadline<Bytes>(world, network_timeout, "raft snapshot end",
                                             stream->expect(FrameType::snapshot_end)));
    ICL_CO_TRY(auto end, decode_snapshot_end(bytes));
    if (end.rows != at->next.rows || end.digest != at->next.digest)
        co_return fail(Kind::corrupt, "raft snapshot: " + std::to_string(at->next.rows) +
                                          " rows of " + std::to_string(end.rows) +
                                          " or other contents arrived");
    co_return end;
}

/// Whether another stream may bring what this one did not.
bool may_go_on(const Error& error) {
    switch (error.kind) {
        case Kind::unavailable:
        case Kind::timeout:
        case Kind::denied:  // a connection that breaks during its handshake looks like this
            return true;
        default:
            return false;
    }
}

/// Begins to stage anew unless what is staged belongs to this snapshot.
Async<> prepare(World& world, state::State& state, const MessageInfo* info, FetchProgress* at) {
    if (at->token != info->token || !state.staging()) {
        ICL_CO_TRY(auto token, decode_snapshot_token(info->token));
        *at = {};
        at->moved = world.steady_now();
        ICL_CO_TRY(co_await state.begin_staging_in_turns());
        at->next.token = token;
        at->token = info->token;
    } else if (at->next.rows > 0) {
        logger("raft")->info("the snapshot transfer goes on rows={}", at->next.rows);
    }
    at->moved = world.steady_now();
    co_return ok();
}

}  // namespace

Async<FetchedSnapshot> fetch_snapshot(World& world, net::Host& host, state::State& state,
                                      PeerId from, Hello hello, MessageInfo info,
                                      Duration network_timeout, FetchProgress* at) {
    co_await asio::this_coro::throw_if_cancelled(false);
    ICL_CO_TRY(co_await prepare(world, state, &info, at));
    Duration pause = kFetchRetryMin;
    while (true) {
        const auto rows = at->next.rows;
        auto end = co_await fetch_from(world, host, state, from, hello, at, network_timeout);
        if (end) {
            at->token.clear();
            co_return FetchedSnapshot{info.snapshot, info.token, std::move(end.value().cluster_id),
                                      std::move(end.value().nodes), std::move(end.value().facts)};
        }
        const auto& error = end.error();
        if (error.kind == Kind::cancelled) co_return fail(error);
        if (!may_go_on(error)) {
            // The leader has it no longer, or what came is not what it has.
            at->token.clear();
            if (const auto dropped = state.drop_staging(); !dropped)
                logger("raft")->warn("staged rows are still there error=\"{}\"",
                                     dropped.error().text);
            co_return fail(error);
        }
        if (planted(Bug::transfers_begin_anew)) at->token.clear();
        // When only the end frame is missing the last piece's successor is asked for: it is empty.
        at->rows_complete = false;
        if (world.steady_now() - at->moved >= kFetchPatience || at->token.empty())
            co_return fail(error);
        if (at->next.rows > rows) pause = kFetchRetryMin;
        logger("raft")->info("snapshot transfer interrupted rows={} error=\"{}\"", at->next.rows,
                             error.text);
        auto slept = co_await world.sleep_for(pause);
        if (!slept) co_return fail(slept.error());
        pause = std::min(pause * 2, kFetchRetryMax);
    }
}

}  // namespace ipfscluster::raft
