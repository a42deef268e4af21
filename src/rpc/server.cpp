#include "rpc/server.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>

#include "base/assert.hpp"
#include "base/log.hpp"
#include "model/peer_info.hpp"
#include "rpc/value_reader.hpp"

namespace ipfscluster::rpc {
namespace {

using namespace asio::experimental::awaitable_operators;

/// What a unary caller may still send after its argument before it is cut off: nothing is expected.
constexpr std::size_t kStrayBytesMax = 64 * 1024;

/// The arguments of one stream as they arrive.
class ArgumentSource final : public Source<Bytes> {
 public:
    ArgumentSource(ValueReader& reader, std::size_t bytes_max)
        : reader_(reader), bytes_max_(bytes_max) {}
    Async<std::optional<Bytes>> next() override {
        Result<std::optional<BytesView>> value = co_await reader_.next(bytes_max_);
        if (!value) co_return fail(value.error());
        if (!value.value()) co_return std::optional<Bytes>{};
        co_return std::optional<Bytes>(Bytes(*value.value()));
    }

 private:
    ValueReader& reader_;
    std::size_t bytes_max_;
};

/// Returns when the caller has closed or reset its side, or misbehaves.
asio::awaitable<void> watch(net::Stream* stream) {
    co_await asio::this_coro::throw_if_cancelled(false);
    std::size_t stray = 0;
    while (stray < kStrayBytesMax) {
        auto bytes = co_await stream->read();
        if (!bytes || bytes.value().empty()) co_return;
        stray += bytes.value().size();
    }
}

/// Reads on until the caller closes, so that what we sent reaches it before the stream goes.
Async<> drain(net::Stream* stream) {
    while (true) {
        auto bytes = co_await stream->read();
        if (!bytes) co_return fail(bytes.error());
        if (bytes.value().empty()) co_return ok();
    }
}

/// Errors of the envelope or an argument are the server's in gorpc's terms.
ErrorType type_of(const Error& error) {
    const bool decoding =
        error.kind == Kind::corrupt && error.text.find("msgpack decode error") != std::string::npos;
    return decoding ? ErrorType::server : ErrorType::method;
}

}  // namespace

/// Bytes on their way from a handler to the network.
struct Server::Queue {
    explicit Queue(asio::any_io_executor executor) : changed(std::move(executor)) {}
    Bytes bytes;
    bool ended = false;
    Signal changed;
};

Server::Server(World& world, net::Host& host, Trust trust)
    : world_(world), host_(host), trust_(std::move(trust)), tasks_(world, "rpc server") {}

void Server::add(std::string service, std::string method, std::unique_ptr<Method> entry) {
    ICL_ASSERT(service.size() + method.size() <= kNameBytesMax, "an RPC name is too long");
    const bool added =
        services_[std::move(service)].emplace(std::move(method), std::move(entry)).second;
    ICL_ASSERT(added, "an RPC method is registered once");
}

Method* Server::find_method(const ServiceId& id) const {
    const auto service = services_.find(id.service);
    if (service == services_.end()) return nullptr;
    const auto method = service->second.find(id.method);
    return method == service->second.end() ? nullptr : method->second.get();
}

void Server::refuse(const std::string& service, std::initializer_list<const char*> methods) {
    for (const char* method : methods)
        add(service, method, std::make_unique<Method>(Policy::closed));
}

std::vector<std::pair<std::string, Policy>> Server::methods() const {
    std::vector<std::pair<std::string, Policy>> out;
    for (const auto& [service, methods] : services_)
        for (const auto& [name, method] : methods)
            out.emplace_back(service + "." + name, method->policy);
    return out;
}

void Server::start() {
    host_.handle(std::string(kRpcProtocol),
                 [this](net::StreamPtr stream) { accept(std::move(stream)); });
}

Async<> Server::stop() {
    host_.handle(std::string(kRpcProtocol), {});
    auto stopped = co_await tasks_.stop();
    co_return stopped;
}

void Server::accept(net::StreamPtr stream) {
    const PeerId peer = stream->remote();
    if (auto place = places_.take(peer, trust_.known(peer).has_value())) {
        tasks_.spawn(serve(std::move(stream), std::move(*place)));
        return;
    }
    note_refusal(peer, "too many of its calls run");
    auto place = places_.take_refusal(peer);
    if (!place) return stream->reset();
    tasks_.spawn(serve_refusal(std::move(stream), std::move(*place)));
}

void Server::note_refusal(const PeerId& peer, const std::string& why) {
    if (refusals_.note(peer, world_.steady_now()))
        logger("rpc")->warn("a call is refused peer={} refused={} reason=\"{}\"", peer.to_string(),
                            refusals_.count(), why);
}

asio::awaitable<std::optional<ServiceId>> Server::read_head(net::Stream* stream,
                                                            ValueReader* reader, Duration limit) {
    // As a whole: who sends a byte now and then is not waited for.
    auto head = co_await with_deadline<std::optional<BytesView>>(
        world_, limit, "waiting for a call", reader->next(kHeadBytesMax));
    std::optional<ServiceId> out;
    if (!head || !head.value()) co_return out;  // nobody to answer
    auto id = codec::from_msgpack<ServiceId>(*head.value());
    if (id) {
        out = std::move(id.value());
        co_return out;
    }
    ServiceId nothing;
    co_await tell_refusal(stream, nothing, ErrorType::server, id.error());
    co_return out;
}

asio::awaitable<void> Server::serve_refusal(net::StreamPtr stream, net::StreamPlaces::Place) {
    co_await asio::this_coro::throw_if_cancelled(false);
    ValueReader reader(world_, *stream, kStrangerRequestLimit);
    auto id = co_await read_head(stream.get(), &reader, kStrangerRequestLimit);
    if (!id) co_return;
    Error busy{Kind::retryable, "rpc: too many calls of this peer at once"};
    co_await tell_refusal(stream.get(), *id, ErrorType::server, std::move(busy));
}

asio::awaitable<std::optional<Server::Refusal>> Server::check(ServiceId id, PeerId peer) {
    std::optional<Refusal> out;
    const Method* method = find_method(id);
    if (method == nullptr) {
        const bool service = services_.contains(id.service);
        const auto what = service ? "method " + id.method : "service " + id.service;
        out = Refusal{ErrorType::server, {Kind::unsupported, "rpc: can't find " + what}};
        co_return out;
    }
    if (method->policy == Policy::open) co_return out;
    auto text = "client does not have permissions to call " + id.name();
    if (method->policy == Policy::closed) {
        out = Refusal{ErrorType::authorization, {Kind::denied, std::move(text)}};
        co_return out;
    }
    auto trusted = trust_.known(peer);
    if (!trusted && trusted.error().kind == Kind::retryable && trust_.find_out) {
        auto question = trust_.find_out(peer, trusted.error());
        trusted = co_await std::move(question);
    }
    if (trusted) co_return out;
    const auto& why = trusted.error();
    note_refusal(peer, why.text);
    if (why.kind == Kind::denied)
        out = Refusal{ErrorType::authorization, {Kind::denied, text + ": " + why.text}};
    else
        out = Refusal{ErrorType::server, {Kind::retryable, "rpc: " + why.text}};
    co_return out;
}

asio::awaitable<void> Server::serve(net::StreamPtr stream, net::StreamPlaces::Place place) {
    co_await asio::this_coro::throw_if_cancelled(false);
    const bool member = place.of_member();
    const auto limit = member ? kRequestLimit : kStrangerRequestLimit;
    ValueReader reader(world_, *stream, limit);
    auto id = co_await read_head(stream.get(), &reader, limit);
    if (!id) co_return;
    auto refusal = co_await check(*id, stream->remote());
    if (refusal) {
        co_await tell_refusal(stream.get(), *id, refusal->type, refusal->error);
        co_return;
    }
    Method* method = find_method(*id);
    // One that turned out to be a member may send what members send.
    const bool trusted = member || method->policy == Policy::trusted;
    const auto bytes_max = trusted ? codec::kMsgpackBytesMax : kHeadBytesMax;
    if (auto* streaming = dynamic_cast<StreamMethodBase*>(method)) {
        if (trusted) reader.set_idle_limit(kArgumentIdleLimit);
        co_await serve_stream(stream.get(), streaming, *id,
                              std::make_unique<ArgumentSource>(reader, bytes_max));
        co_return;
    }
    auto arg = co_await with_deadline<std::optional<BytesView>>(
        world_, limit, "waiting for an argument", reader.next(bytes_max));
    if (!arg || !arg.value()) {
        const auto why =
            arg ? Error{Kind::corrupt, "msgpack decode error [pos 0]: no argument"} : arg.error();
        co_await tell_refusal(stream.get(), *id, ErrorType::server, why);
        co_return;
    }
    co_await serve_unary(stream.get(), static_cast<UnaryMethodBase*>(method), *id,
                         Bytes(*arg.value()));
}

asio::awaitable<void> Server::tell_refusal(net::Stream* stream, ServiceId id, ErrorType type,
                                           Error error) {
    const bool gone = co_await is_cancelled();
    if (gone) co_return;
    auto bytes = failure_bytes(id, type, error);
    auto sent = co_await with_deadline<>(world_, kWriteStallLimit, "sending a refusal",
                                         stream->write(std::move(bytes)));
    if (!sent) co_return;
    auto closed = co_await stream->close_write();
    if (!closed) co_return;
    auto drained = co_await with_deadline<>(world_, kLingerLimit, "closing", drain(stream));
    (void)drained;
}

asio::awaitable<void> Server::serve_unary(net::Stream* stream, UnaryMethodBase* method,
                                          ServiceId id, Bytes arg) {
    // The caller keeps its side open until it has the answer: an end of it means that it gave up,
    // and cancels the handler. Otherwise the first branch ends when the caller did not close in
    // time.
    co_await (run_unary(stream, method, std::move(id), std::move(arg)) || watch(stream));
}

asio::awaitable<void> Server::run_unary(net::Stream* stream, UnaryMethodBase* method, ServiceId id,
                                        Bytes arg) {
    co_await asio::this_coro::throw_if_cancelled(false);
    PeerId caller = stream->remote();
    Answer answer = co_await method->answer(std::move(caller), std::move(arg));
    const bool gone = co_await is_cancelled();
    if (gone) co_return;
    Bytes out;
    if (answer.error) {
        out = failure_bytes(id, answer.type, *answer.error);
    } else {
        append_success(out, id);
        out += answer.reply;
    }
    auto sent = co_await with_deadline<>(world_, kWriteStallLimit, "sending an answer",
                                         stream->write(std::move(out)));
    if (!sent) co_return;
    auto closed = co_await stream->close_write();
    if (!closed) co_return;
    auto lingered = co_await world_.sleep_for(kLingerLimit);
    (void)lingered;
}

asio::awaitable<void> Server::serve_stream(net::Stream* stream, StreamMethodBase* method,
                                           ServiceId id, SourcePtr<Bytes> args) {
    Queue queue(world_.executor());
    auto items = method->open(stream->remote(), std::move(args));
    // The producer ends only when cancelled, that is when everything has been sent or cannot be.
    co_await (produce(&queue, std::move(items), std::move(id)) || send_queue(&queue, stream));
    const bool gone = co_await is_cancelled();
    if (gone || !queue.ended) co_return;
    auto drained = co_await with_deadline<>(world_, kLingerLimit, "closing", drain(stream));
    (void)drained;
}

asio::awaitable<void> Server::produce(Queue* queue, SourcePtr<Bytes> items, ServiceId id) {
    co_await asio::this_coro::throw_if_cancelled(false);
    bool gone = false;
    while (!queue->ended && !gone) {
        auto item = co_await items->next();
        gone = co_await is_cancelled();
        if (gone) co_return;
        if (!item) {
            queue->bytes += failure_bytes(id, type_of(item.error()), item.error());
            queue->ended = true;
        } else if (!item.value()) {
            queue->ended = true;
        } else {
            append_success(queue->bytes, id);
            queue->bytes += *item.value();
        }
        queue->changed.notify_all();
        while (queue->bytes.size() > kStreamBufferBytesMax && !gone) {
            auto woken = co_await queue->changed.wait();
            gone = !woken;
        }
    }
    items.reset();
    while (!gone) {
        auto woken = co_await queue->changed.wait();
        gone = !woken;
    }
}

asio::awaitable<void> Server::send_queue(Queue* queue, net::Stream* stream) {
    co_await asio::this_coro::throw_if_cancelled(false);
    while (true) {
        while (queue->bytes.empty() && !queue->ended) {
            auto woken = co_await queue->changed.wait();
            if (!woken) co_return;
        }
        if (queue->bytes.empty()) break;
        Bytes piece = std::move(queue->bytes);
        queue->bytes.clear();
        queue->changed.notify_all();
        auto sent = co_await with_deadline<>(world_, kItemsStallLimit, "sending items",
                                             stream->write(std::move(piece)));
        if (!sent) co_return;
    }
    auto closed = co_await stream->close_write();
    (void)closed;
}

}  // namespace ipfscluster::rpc
