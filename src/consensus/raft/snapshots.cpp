#include "consensus/raft/snapshots.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "consensus/raft/links.hpp"
#include "runtime/join.hpp"

namespace ipfscluster::raft {

Result<SnapshotMeta> SnapshotLeases::make(std::uint64_t request_index, NodeId to, NodeId self) {
    if (held_) return fail(Kind::retryable, "entries are being applied");
    const auto now = world_.steady_now();
    for (auto& [id, lease] : leases_) {
        // Members that joined since are not in an older lease's configuration.
        const bool same_members = lease->meta.conf_state == log_.conf_state();
        if (lease->meta.at.index < request_index || now - lease->made > kSnapshotShareMax ||
            !same_members || lease->meta.at.index < log_.compacted().index)
            continue;
        lease->followers[to].reset();
        lease->used = now;
        return lease->meta;
    }
    if (leases_.size() >= kSnapshotLeasesMax)
        return fail(Kind::retryable, "too many open snapshots");
    if (log_.applied().index < request_index) return fail(Kind::retryable, "not applied yet");
    auto lease = std::make_shared<Lease>();
    lease->view = store_.snapshot();
    const auto id = world_.random_u64();
    lease->meta = {log_.applied(), log_.conf_state(), encode(SnapshotToken{id, self})};
    lease->nodes = log_.nodes();
    lease->cluster_id = log_.cluster_id();
    lease->followers[to].reset();
    lease->made = lease->used = now;
    auto meta = lease->meta;
    leases_.emplace(id, std::move(lease));
    return meta;
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
    const SnapshotEnd end{rows, digest, lease->cluster_id, lease->nodes};
    ICL_CO_TRY(co_await stream->write(encode_frame(FrameType::snapshot_end, encode(end))));
    lease->used = world_.steady_now();
    if (const auto told = lease->followers.find(to); told != lease->followers.end())
        told->second = lease->used;
    co_return co_await stream->close_write();
}

std::vector<PromisedSnapshot> SnapshotLeases::expire(SteadyTime now) {
    std::vector<PromisedSnapshot> failed;
    std::erase_if(leases_, [&](const auto& item) {
        if (now - item.second->used < kSnapshotIdleMax) return false;
        for (const auto& [follower, sent] : item.second->followers)
            failed.push_back({follower, item.second->meta.at.index});
        return true;
    });
    return failed;
}

std::vector<PromisedSnapshot> SnapshotLeases::unconfirmed(SteadyTime now) const {
    std::vector<PromisedSnapshot> out;
    for (const auto& [id, lease] : leases_)
        for (const auto& [follower, sent] : lease->followers)
            if (sent && now - *sent >= kSnapshotConfirmMax)
                out.push_back({follower, lease->meta.at.index});
    return out;
}

void SnapshotLeases::keep_only(const std::vector<PromisedSnapshot>& waiting) {
    std::erase_if(leases_, [&](const auto& item) {
        auto& lease = *item.second;
        std::erase_if(lease.followers, [&](const auto& follower) {
            const PromisedSnapshot promise{follower.first, lease.meta.at.index};
            return std::find(waiting.begin(), waiting.end(), promise) == waiting.end();
        });
        return lease.followers.empty();
    });
}

namespace {

/// Where a transfer stands; survives a broken stream.
struct FetchState {
    SnapshotRequest next;
    bool rows_complete = false;
};

Async<SnapshotEnd> fetch_from(World& world, net::Host& host, state::State& state, PeerId from,
                              Hello hello, FetchState* at, Duration network_timeout,
                              SteadyTime* moved) {
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
        *moved = world.steady_now();
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

}  // namespace

Async<FetchedSnapshot> fetch_snapshot(World& world, net::Host& host, state::State& state,
                                      PeerId from, Hello hello, MessageInfo info,
                                      Duration network_timeout, SteadyTime* moved) {
    co_await asio::this_coro::throw_if_cancelled(false);
    ICL_CO_TRY(auto token, decode_snapshot_token(info.token));
    FetchState at;
    at.next.token = token;
    ICL_CO_TRY(co_await state.begin_staging_in_turns());
    *moved = world.steady_now();
    for (int attempt = 1;; ++attempt) {
        auto end =
            co_await fetch_from(world, host, state, from, hello, &at, network_timeout, moved);
        if (end) {
            co_return FetchedSnapshot{info.snapshot, info.token, std::move(end.value().cluster_id),
                                      std::move(end.value().nodes)};
        }
        const auto kind = end.error().kind;
        if (kind == Kind::cancelled || kind == Kind::corrupt || attempt == kSnapshotAttemptsMax)
            co_return fail(end.error());
        if (at.rows_complete) {
            // Only the end frame is missing: ask for the last piece's successor, which is empty.
            at.rows_complete = false;
        }
        logger("raft")->info("snapshot transfer interrupted attempt={} rows={} error=\"{}\"",
                             attempt, at.next.rows, end.error().text);
        auto slept = co_await world.sleep_for(std::chrono::milliseconds(200));
        if (!slept) co_return fail(slept.error());
    }
}

}  // namespace ipfscluster::raft
