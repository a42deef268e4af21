#include "api/rest/handlers.hpp"
#include "api/rest/replies.hpp"
#include "api/rest/request.hpp"

namespace ipfscluster::rest {

namespace {
/// A peer id is some 60 bytes; anything near this is not one.
constexpr std::size_t kPeerBodyMax = 16 * 1024;

Result<PeerId> peer_of(std::string_view text) {
    auto peer = PeerId::parse(text);
    if (!peer) return fail(peer.error().in("error decoding peer_id \"" + std::string(text) + "\""));
    return peer;
}

/// What is refused because it would lose something is not a failure of the server.
int status_of_member(const Error& error) {
    switch (error.kind) {
        case Kind::not_found:
            return 404;
        case Kind::conflict:
            return 409;
        case Kind::unsupported:
            return 501;
        default:
            return status_of(error);
    }
}
}  // namespace

Async<> get_peers(Deps deps, Exchange& e) {
    return stream_rows(e, deps.cluster.peers());
}

Async<> post_peer(Deps deps, Exchange& e) {
    auto body = co_await e.read_whole_body(kPeerBodyMax);
    if (!body) {
        const int status = e.body_too_large() ? 413 : 400;
        co_return co_await send_error(e, status, body.error().text);
    }
    auto asked = codec::parse_json<codec::PeerAddBody>(body.value());
    if (!asked)
        co_return co_await send_bad_request(e, asked.error().in("error decoding request body"));
    auto peer = peer_of(asked.value().peer_id);
    if (!peer) co_return co_await send_bad_request(e, peer.error());
    auto added = co_await deps.cluster.peer_add(std::move(peer.value()));
    // No address of it is known: that is no absent pin.
    if (!added) co_return co_await send_error(e, 500, added.error().text);
    co_return co_await send_json(e, added.value());
}

Async<> delete_peer(Deps deps, Exchange& e, std::string text) {
    auto peer = peer_of(text);
    if (!peer) co_return co_await send_bad_request(e, peer.error());
    auto query = query_of(e);
    if (!query) co_return co_await send_bad_request(e, query.error());
    auto removed =
        co_await deps.cluster.peer_remove(std::move(peer.value()), is_true(query.value(), "force"));
    if (removed) {
        const bool gone = removed.value() == component::Removal::removed;
        co_return co_await send_nothing(e, gone ? 204 : 202);
    }
    co_return co_await send_error(e, status_of_member(removed.error()), removed.error().text);
}

namespace {

using component::Cordon;

/// What a peer is told, as its dry run and the real thing answer alike.
Async<> tell(Deps deps, Exchange& e, std::string text, Cordon::Kind kind) {
    auto peer = peer_of(text);
    if (!peer) co_return co_await send_bad_request(e, peer.error());
    auto query = query_of(e);
    if (!query) co_return co_await send_bad_request(e, query.error());
    Cordon cordon{.kind = kind};
    cordon.everything = is_true(query.value(), "everything");
    auto report = co_await deps.cluster.peer_cordon(std::move(peer.value()), cordon,
                                                    is_true(query.value(), "dry-run"));
    if (report) co_return co_await send_json(e, report.value());
    co_return co_await send_error(e, status_of_member(report.error()), report.error().text);
}

}  // namespace

Async<> post_cordon(Deps deps, Exchange& e, std::string text) {
    return tell(deps, e, std::move(text), Cordon::Kind::cordoned);
}

Async<> post_uncordon(Deps deps, Exchange& e, std::string text) {
    return tell(deps, e, std::move(text), Cordon::Kind::none);
}

Async<> post_drain(Deps deps, Exchange& e, std::string text) {
    return tell(deps, e, std::move(text), Cordon::Kind::draining);
}

Async<> get_drain(Deps deps, Exchange& e, std::string text) {
    auto peer = peer_of(text);
    if (!peer) co_return co_await send_bad_request(e, peer.error());
    auto report = co_await deps.cluster.peer_drain(std::move(peer.value()));
    if (report) co_return co_await send_json(e, report.value());
    co_return co_await send_error(e, status_of_member(report.error()), report.error().text);
}

}  // namespace ipfscluster::rest
