#include "api/ipfsproxy/upstream.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <charconv>

#include "api/ipfsproxy/replies.hpp"
#include "base/log.hpp"
#include "runtime/task_group.hpp"

namespace ipfscluster::ipfsproxy {

namespace {

using http::ClientCall;
using http::Headers;

/// Of one connection; `Content-Length`, `Date` and `Expect` are written anew.
constexpr std::string_view kNotCopied[] = {
    "Connection", "Proxy-Connection", "Keep-Alive",     "Proxy-Authenticate", "Proxy-Authorization",
    "Te",         "Upgrade",          "Content-Length", "Transfer-Encoding",  "Date",
    "Expect"};

bool has_body(const http::Request& request) {
    if (request.headers.has("Transfer-Encoding")) return true;
    const auto length = request.headers.get("Content-Length");
    return !length.empty() && length != "0";
}

/// Sends the request's body, then waits to be cancelled: only the client's failure ends it by
/// itself. When the daemon does not take the body, its answer says why.
Async<> pump_body(World& world, Exchange* e, ClientCall* call) {
    Signal never(world.executor());
    while (true) {
        auto piece = co_await e->read_body();
        if (!piece) co_return fail(piece.error());
        const bool last = piece.value().empty();
        Result<> sent = ok();
        if (last)
            sent = co_await call->finish_body();
        else
            sent = co_await call->write_body(std::move(piece.value()));
        if (last || !sent) break;
    }
    auto woken = co_await never.wait();
    co_return woken;
}

std::optional<std::uint64_t> length_of(const Headers& headers) {
    const auto text = headers.get("Content-Length");
    std::uint64_t value = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || ec != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

Async<> copy_body(Exchange& e, ClientCall& call) {
    while (true) {
        ICL_CO_TRY(auto piece, co_await call.read());
        if (piece.empty()) co_return ok();
        ICL_CO_TRY(co_await e.write(std::move(piece)));
    }
}

}  // namespace

void copy_end_to_end(const Headers& from, Headers& to) {
    for (std::size_t i = 0; i < from.size(); ++i) {
        const auto name = from.name_at(i);
        bool copied = !from.has_token("Connection", name);
        for (const auto skipped : kNotCopied)
            copied = copied && !http::equals_nocase(name, skipped);
        if (copied) to.add(name, from.value_at(i));
    }
}

Result<std::unique_ptr<Upstream>> Upstream::make(World& world, UpstreamNode node) {
    std::optional<http::ClientConfig> config;
    if (node.address) {
        auto made = http::client_config_for(*node.address);
        if (!made) return fail(made.error().in("node_multiaddress"));
        config = std::move(made.value());
        config->tls = node.https;
        // A daemon may be silent for as long as it searches; its client decides how long to wait.
        config->stall_timeout = {};
        config->connections_max = kUpstreamConnectionsMax;
    }
    std::unique_ptr<Upstream> out(new Upstream(world, std::move(node)));
    if (config) out->client_ = std::make_unique<http::Client>(world, std::move(*config));
    return out;
}

Upstream::Upstream(World& world, UpstreamNode node)
    : world_(world),
      missing_(std::move(node.missing)),
      name_(node.address ? node.address->to_string() : "nowhere") {}

void Upstream::close() {
    if (client_) client_->close();
}

Async<> Upstream::bad_gateway(Exchange& e, Error error) const {
    if (error.kind == Kind::cancelled || e.started()) co_return fail(std::move(error));
    logger("ipfsproxy")
        ->warn("the IPFS daemon did not answer node={} error=\"{}\"", name_, error.text);
    // Whatever of the request is still unread must not be taken for the next one.
    e.close_after();
    std::string text = "the IPFS daemon at " + name_ + " did not answer: " + error.text;
    if (!client_) text = missing_;
    co_return co_await send_failure(e, 502, std::move(text));
}

Async<> Upstream::relay(Exchange& e, ClientCall& call) {
    const int status = call.status();
    const auto& from = call.headers();
    Headers fields;
    copy_end_to_end(from, fields);
    const std::string type(fields.get("Content-Type"));
    fields.remove("Content-Type");
    e.headers = std::move(fields);
    const auto length = length_of(from);
    if (status == 204 || status == 304) {
        co_return co_await e.respond(status, type, {});
    } else if (length && !from.has("Transfer-Encoding")) {
        ICL_CO_TRY(co_await e.start_sized(status, type, *length));
    } else {
        e.start(status, type);
    }
    // A daemon may say long before its first byte that it is at it.
    ICL_CO_TRY(co_await e.flush());
    if (e.request.method != http::Method::head) {
        ICL_CO_TRY(co_await copy_body(e, call));
    }
    const auto& trailers = call.trailers();
    for (std::size_t i = 0; i < trailers.size(); ++i)
        e.add_trailer(trailers.name_at(i), trailers.value_at(i));
    co_return co_await e.finish();
}

Async<> Upstream::pass(Exchange& e) {
    auto* exchange = &e;
    Answer answer = [exchange](ClientCall& call) { return relay(*exchange, call); };
    std::string target = e.request.target;
    auto done = co_await pass_to(e, std::move(target), std::move(answer));
    co_return done;
}

namespace {

Async<> after_head(ClientCall* call, Upstream::Answer answer, std::optional<Error>* no_head) {
    auto head = co_await call->read_head();
    if (!head) {
        no_head->emplace(head.error());
        co_return fail(head.error());
    }
    auto done = co_await answer(*call);
    co_return done;
}

}  // namespace

Async<> Upstream::pass_to(Exchange& e, std::string target, Answer answer) {
    using namespace asio::experimental::awaitable_operators;
    if (!client_) {
        Error nowhere{Kind::unavailable, missing_};
        co_return co_await bad_gateway(e, std::move(nowhere));
    }
    http::ClientRequest request;
    request.method = e.request.method;
    request.target = std::move(target);
    request.streamed = has_body(e.request);
    copy_end_to_end(e.request.headers, request.headers);
    request.headers.remove("Trailer");
    // "127.0.0.1:4242" → the address; a unix socket has none.
    const auto client = e.request.remote.substr(0, e.request.remote.rfind(':'));
    if (client != "@" && !client.empty()) {
        std::string chain;
        for (const auto before : e.request.headers.all("X-Forwarded-For"))
            chain.append(before).append(", ");
        request.headers.set("X-Forwarded-For", chain + client);
    }
    const bool streamed = request.streamed;
    std::optional<Error> no_head;
    if (!streamed) {
        auto call = co_await client_->send(std::move(request));
        if (!call) co_return co_await bad_gateway(e, call.error());
        auto done = co_await answer(*call.value());
        co_return done;
    }
    auto call = co_await client_->open(std::move(request));
    if (!call) co_return co_await bad_gateway(e, call.error());
    auto first = co_await (
        detail::as_optional<void>(pump_body(world_, &e, call.value().get())) ||
        detail::as_optional<void>(after_head(call.value().get(), std::move(answer), &no_head)));
    if (first.index() == 0) {
        // The request itself is broken: what the daemon has of it is broken off as well.
        co_return fail(std::get<0>(first)->error());
    }
    auto done = std::move(*std::get<1>(first));
    if (!done && no_head) co_return co_await bad_gateway(e, std::move(*no_head));
    co_return done;
}

Async<http::ClientAnswer> Upstream::ask(http::ClientRequest request, Duration limit) {
    if (!client_) co_return fail(Kind::unavailable, missing_);
    auto answer = co_await with_deadline<http::ClientAnswer>(
        world_, limit, "the IPFS daemon", client_->fetch(std::move(request), 64 * 1024));
    co_return answer;
}

}  // namespace ipfscluster::ipfsproxy
