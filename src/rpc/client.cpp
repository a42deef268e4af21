#include "rpc/client.hpp"

#include "model/peer_info.hpp"
#include "runtime/task_group.hpp"

namespace ipfscluster::rpc {

Client::Client(World& world, net::Host& host)
    : world_(world), host_(host), slots_(world.executor(), kRpcStreamsPerPeerMax) {}

Async<std::unique_ptr<RawCall>> Client::open(PeerId peer, ServiceId id, CallOptions options) {
    const auto began = world_.steady_now();
    const auto where = id.name() + " at " + peer.to_string();
    auto slot = co_await with_deadline<Slots::Slot>(
        world_, options.limit, "waiting for earlier calls", slots_.acquire(peer));
    if (!slot) {
        // Nothing was sent: another try is free.
        const bool late = slot.error().kind == Kind::timeout;
        co_return fail(late ? Kind::retryable : slot.error().kind,
                       where + ": " + slot.error().text);
    }
    const Duration left = options.limit - (world_.steady_now() - began);
    std::vector<std::string> protocols(1, std::string(kRpcProtocol));
    auto stream = co_await host_.open(peer, std::move(protocols), std::max(left, Duration(1)));
    if (!stream) {
        const bool late = stream.error().kind == Kind::timeout;
        co_return fail(late ? Kind::unavailable : stream.error().kind,
                       where + ": " + stream.error().text);
    }
    co_return std::make_unique<RawCall>(world_, std::move(stream.value()), std::move(slot.value()),
                                        std::move(id), options);
}

namespace {
Async<Bytes> exchange(RawCall* call, Bytes request) {
    auto sent = co_await call->send(std::move(request));
    if (!sent) co_return fail(sent.error());
    auto body = co_await call->next();
    if (!body) co_return fail(body.error());
    if (!body.value())
        co_return fail(Kind::unknown_outcome, "the other side closed the call without an answer");
    co_return Bytes(*body.value());
}
}  // namespace

Async<Bytes> Client::call_bytes(PeerId peer, ServiceId id, Bytes request, CallOptions options) {
    const auto began = world_.steady_now();
    auto call = co_await open(peer, id, options);
    if (!call) co_return fail(call.error());
    // The exchange waits at most `limit` in each of its steps; what opening took is subtracted from
    // the whole.
    const Duration left = options.limit - (world_.steady_now() - began);
    auto answer = co_await with_deadline<Bytes>(world_, std::max(left, Duration(1)),
                                                id.name() + " at " + peer.to_string(),
                                                exchange(call.value().get(), std::move(request)));
    // Our deadline, or a time-out the other side tells of: neither says what happened there.
    if (!answer && answer.error().kind == Kind::timeout)
        co_return fail(Kind::unknown_outcome, answer.error().text);
    co_return answer;
}

}  // namespace ipfscluster::rpc
