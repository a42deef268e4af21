#include "rpc/raw_call.hpp"

#include "runtime/task_group.hpp"

namespace ipfscluster::rpc {

namespace {
/// How long an error of the other side may take to arrive once it no longer takes our arguments.
constexpr Duration kLastWordLimit = std::chrono::seconds(2);
}  // namespace

RawCall::RawCall(World& world, net::StreamPtr stream, Slots::Slot slot, ServiceId id,
                 CallOptions options)
    : world_(world),
      slot_(std::move(slot)),
      stream_(std::move(stream)),
      id_(std::move(id)),
      options_(options),
      reader_(world, *stream_, options.limit) {}

Error RawCall::unknown(const Error& cause) const {
    if (cause.kind == Kind::cancelled) return cause;
    return {Kind::unknown_outcome,
            id_.name() + " at " + stream_->remote().to_string() + ": " + cause.text};
}

Async<> RawCall::send(Bytes bytes) {
    auto sent = co_await with_deadline<>(world_, options_.limit, "sending",
                                         stream_->write(std::move(bytes)));
    if (sent) co_return ok();
    if (sent.error().kind == Kind::cancelled) co_return sent;
    // The other side says why it stopped reading before it closes.
    reader_.set_idle_limit(kLastWordLimit);
    auto last = co_await next();
    if (!last && last.error().kind != Kind::unknown_outcome) co_return fail(last.error());
    co_return fail(unknown(sent.error()));
}

Async<> RawCall::close_send() {
    auto closed = co_await stream_->close_write();
    if (!closed) co_return fail(unknown(closed.error()));
    co_return ok();
}

Async<std::optional<BytesView>> RawCall::next() {
    auto head = co_await reader_.next(kHeadBytesMax);
    if (!head) co_return fail(unknown(head.error()));
    if (!head.value()) co_return std::optional<BytesView>{};
    auto response = codec::from_msgpack<Response>(*head.value());
    if (!response) co_return fail(unknown(response.error()));
    if (!response.value().error.empty()) {
        stream_->reset();
        co_return fail(to_error(response.value()));
    }
    auto body = co_await reader_.next(options_.reply_bytes_max);
    if (!body) co_return fail(unknown(body.error()));
    if (!body.value())
        co_return fail(unknown({Kind::corrupt, "the stream ended before the reply"}));
    co_return body;
}

}  // namespace ipfscluster::rpc
