#include "http/client.hpp"

#include <charconv>
#include <cstring>

#include "base/encoding.hpp"
#include "http/client_pool.hpp"
#include "runtime/task_group.hpp"

namespace ipfscluster::http {

using detail::ClientConnection;
using detail::ClientPool;

namespace {

constexpr std::size_t kInputMax = 64 * 1024;

bool idempotent(Method method) {
    return method != Method::post && method != Method::patch;
}

/// `Host` without the port where it is the scheme's own.
std::string host_field(const ClientConfig& config) {
    const bool literal6 = config.host.find(':') != std::string::npos;
    std::string host = literal6 ? "[" + config.host + "]" : config.host;
    if (config.port != 0 && config.port != (config.tls ? 443 : 80))
        host += ":" + std::to_string(config.port);
    return host;
}

std::string request_head(const ClientConfig& config, const ClientRequest& request) {
    std::string out(method_name(request.method));
    out.append(" ").append(request.target).append(" HTTP/1.1\r\n");
    if (!request.headers.has("Host"))
        out.append("Host: ").append(host_field(config)).append("\r\n");
    if (!request.headers.has("Authorization")) {
        if (!config.basic_user.empty())
            out.append("Authorization: Basic ")
                .append(base64_encode(config.basic_user + ":" + config.basic_password))
                .append("\r\n");
        else if (!config.bearer_token.empty())
            out.append("Authorization: Bearer ").append(config.bearer_token).append("\r\n");
    }
    request.headers.write_to(out);
    if (request.streamed)
        out.append("Transfer-Encoding: chunked\r\n");
    else if (!request.body.empty() || request.method == Method::post ||
             request.method == Method::put)
        out.append("Content-Length: ").append(std::to_string(request.body.size())).append("\r\n");
    out.append("\r\n");
    return out;
}

Async<> write_bytes(ClientPool& pool, ClientConnection& c, BytesView bytes) {
    const auto limit = pool.config().stall_timeout;
    // Most writes are taken by the kernel at once and need no timer.
    bytes.remove_prefix(c.stream->write_now(bytes));
    Result<> sent = ok();
    if (!bytes.empty() && limit.count() > 0)
        sent = co_await with_deadline<void>(pool.world(), limit, "sending the request",
                                            c.stream->write(bytes));
    else if (!bytes.empty())
        sent = co_await c.stream->write(bytes);
    if (!sent) c.failed = true;
    co_return sent;
}

/// Reads more input; false at the end of the connection.
Async<bool> fill(ClientPool& pool, ClientConnection& c, Duration limit) {
    std::memmove(c.in.data(), c.in.data() + c.in_at, c.in_end - c.in_at);
    c.in_end -= c.in_at;
    c.in_at = 0;
    const auto size = std::max(kInputMax, pool.config().header_bytes_max);
    if (c.in.size() < size) c.in.resize(size);
    if (c.in_end == c.in.size()) co_return fail(Kind::corrupt, "the answer's framing is too long");
    auto* to = c.in.data() + c.in_end;
    std::optional<Result<std::size_t>> got;
    if (limit.count() > 0)
        got.emplace(
            co_await with_deadline<std::size_t>(pool.world(), limit, "reading the answer",
                                                c.stream->read_some(to, c.in.size() - c.in_end)));
    else
        got.emplace(co_await c.stream->read_some(to, c.in.size() - c.in_end));
    if (!*got) co_return fail(got->error());
    c.in_end += got->value();
    co_return got->value() > 0;
}

/// One step of parsing, reading when there is nothing to parse.
Async<> advance(ClientPool& pool, ClientConnection& c, Duration limit) {
    if (c.in_at < c.in_end) {
        ICL_CO_TRY(const auto used,
                   c.parser->feed(BytesView(c.in).substr(c.in_at, c.in_end - c.in_at)));
        c.in_at += used;
        if (used > 0) co_return ok();
    }
    ICL_CO_TRY(const bool more, co_await fill(pool, c, limit));
    if (more) co_return ok();
    if (!c.parser->got_some())
        co_return fail(Kind::unavailable, "the server closed the connection");
    co_return c.parser->feed_end();
}

Async<> read_answer_head(ClientPool& pool, ClientConnection& c) {
    while (true) {
        c.parser.emplace(pool.config().header_bytes_max);
        if (c.method == Method::head) c.parser->skip(true);
        while (!c.parser->is_header_done()) {
            ICL_CO_TRY(co_await advance(pool, c, pool.config().head_timeout));
        }
        if (c.parser->status >= 200) co_return ok();
    }
}

}  // namespace

Result<ClientConfig> client_config_for(const Multiaddr& address) {
    ICL_TRY(auto endpoint, to_tcp_endpoint(address));
    ClientConfig config;
    config.unix_path = endpoint.unix_path;
    if (endpoint.unix_path.empty()) {
        config.host = endpoint.host;
        config.port = endpoint.port;
    } else {
        config.host = "localhost";
    }
    return config;
}

ClientCall::ClientCall(std::shared_ptr<ClientPool> pool,
                       std::unique_ptr<ClientConnection> connection)
    : pool_(std::move(pool)), connection_(std::move(connection)) {}

ClientCall::~ClientCall() {
    pool_->release(std::move(connection_));
}

Async<> ClientCall::write_body(Bytes piece) {
    auto& c = *connection_;
    if (piece.empty()) co_return ok();
    char text[18];
    auto* end = std::to_chars(text, text + 16, piece.size(), 16).ptr;
    *end++ = '\r';
    *end++ = '\n';
    std::string frame(text, end);
    // Small pieces go out in one write, large ones are not copied.
    if (piece.size() <= 16 * 1024) {
        frame.append(piece).append("\r\n");
        co_return co_await write_bytes(*pool_, c, frame);
    }
    ICL_CO_TRY(co_await write_bytes(*pool_, c, frame));
    piece.append("\r\n");
    co_return co_await write_bytes(*pool_, c, piece);
}

Async<> ClientCall::finish_body() {
    ICL_CO_TRY(co_await write_bytes(*pool_, *connection_, "0\r\n\r\n"));
    connection_->request_done = true;
    co_return ok();
}

Async<> ClientCall::read_head() {
    auto& c = *connection_;
    if (c.head_done) co_return ok();
    auto read = co_await read_answer_head(*pool_, c);
    if (read) {
        c.head_done = true;
        co_return ok();
    }
    c.failed = true;
    auto error = read.error().in(method_name(c.method));
    // The server may have done what was asked and only its answer is missing.
    const bool lost = error.kind == Kind::unavailable || error.kind == Kind::timeout;
    if (lost && c.method != Method::get && c.method != Method::head)
        error.kind = Kind::unknown_outcome;
    co_return fail(std::move(error));
}

int ClientCall::status() const {
    return connection_->head_done ? connection_->parser->status : 0;
}

Method ClientCall::method() const {
    return connection_->method;
}

const Headers& ClientCall::headers() const {
    return connection_->parser->headers;
}

const Headers& ClientCall::trailers() const {
    return connection_->parser->trailers;
}

Async<Bytes> ClientCall::read() {
    auto& c = *connection_;
    while (true) {
        if (!c.parser->body.empty()) co_return std::exchange(c.parser->body, {});
        if (c.parser->is_done()) {
            c.answer_done = true;
            co_return Bytes{};
        }
        auto advanced = co_await advance(*pool_, c, pool_->config().stall_timeout);
        if (!advanced) {
            c.failed = true;
            co_return fail(advanced.error());
        }
    }
}

Async<Bytes> ClientCall::read_all(std::size_t limit) {
    Bytes whole;
    while (true) {
        ICL_CO_TRY(auto piece, co_await read());
        if (piece.empty()) co_return whole;
        if (whole.size() + piece.size() > limit)
            co_return fail(Kind::invalid,
                           "the answer is larger than " + std::to_string(limit) + " bytes");
        whole.append(piece);
    }
}

std::string ClientCall::trailer_error(std::string_view name) const {
    std::string joined;
    for (const auto value : trailers().all(name)) {
        if (value.empty()) continue;
        if (!joined.empty()) joined += "; ";
        joined += value;
    }
    return joined;
}

Client::Client(World& world, ClientConfig config)
    : pool_(std::make_shared<ClientPool>(world, std::move(config))) {}

Client::~Client() {
    close();
}

void Client::close() {
    pool_->close();
}

const ClientConfig& Client::config() const {
    return pool_->config();
}

namespace {

Async<ClientCallPtr> open_call(std::shared_ptr<ClientPool> pool, const ClientRequest& request,
                               bool fresh) {
    ICL_CO_TRY(auto connection, co_await pool->acquire(fresh));
    connection->method = request.method;
    connection->streamed = request.streamed;
    connection->request_done = connection->head_done = connection->answer_done =
        connection->failed = false;
    connection->parser.reset();
    auto& c = *connection;
    auto call = std::make_unique<ClientCall>(pool, std::move(connection));
    std::string head = request_head(pool->config(), request);
    if (request.streamed) {
        ICL_CO_TRY(co_await write_bytes(*pool, c, head));
        co_return call;
    }
    if (request.body.size() <= 16 * 1024) {
        head.append(request.body);
        ICL_CO_TRY(co_await write_bytes(*pool, c, head));
    } else {
        ICL_CO_TRY(co_await write_bytes(*pool, c, head));
        ICL_CO_TRY(co_await write_bytes(*pool, c, request.body));
    }
    c.request_done = true;
    co_return call;
}

bool connection_lost(const Error& error) {
    return error.kind == Kind::unavailable || error.kind == Kind::unknown_outcome;
}

}  // namespace

Async<ClientCallPtr> Client::open(ClientRequest request) {
    auto call = co_await open_call(pool_, request, false);
    co_return call;
}

Async<ClientCallPtr> Client::send(ClientRequest request) {
    const bool repeatable = idempotent(request.method) && !request.streamed;
    const bool may_be_stale = pool_->has_idle();
    bool reused = false;
    {
        auto call = co_await open_call(pool_, request, false);
        if (call) {
            auto head = co_await call.value()->read_head();
            if (head) co_return call;
            reused = call.value()->connection_->reused;
            if (!reused || !repeatable || !connection_lost(head.error()))
                co_return fail(head.error());
        } else if (!may_be_stale || !repeatable || !connection_lost(call.error())) {
            co_return fail(call.error());
        }
    }
    ICL_CO_TRY(auto again, co_await open_call(pool_, request, true));
    ICL_CO_TRY(co_await again->read_head());
    co_return again;
}

Async<ClientAnswer> Client::fetch(ClientRequest request, std::size_t body_max) {
    ICL_CO_TRY(auto call, co_await send(std::move(request)));
    ClientAnswer answer;
    answer.status = call->status();
    answer.headers = call->headers();
    ICL_CO_TRY(answer.body, co_await call->read_all(body_max));
    answer.trailers = call->trailers();
    co_return answer;
}

}  // namespace ipfscluster::http
