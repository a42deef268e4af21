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
    co_return co_await send_result(e, std::move(added));
}

Async<> delete_peer(Deps deps, Exchange& e, std::string text) {
    auto peer = peer_of(text);
    if (!peer) co_return co_await send_bad_request(e, peer.error());
    auto query = query_of(e);
    if (!query) co_return co_await send_bad_request(e, query.error());
    auto removed =
        co_await deps.cluster.peer_remove(std::move(peer.value()), is_true(query.value(), "force"));
    if (removed) co_return co_await send_nothing(e);
    // A removal that would cost the last live copy of something is refused, not failed.
    const int status = removed.error().kind == Kind::conflict ? 409 : status_of(removed.error());
    co_return co_await send_error(e, status, removed.error().text);
}

}  // namespace ipfscluster::rest
