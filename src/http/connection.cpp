#include "http/connection.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <cstring>
#include <ctime>

#include "base/log.hpp"

namespace ipfscluster::http {

namespace {

constexpr std::size_t kInputMin = 4 * 1024;
constexpr std::size_t kInputMax = 64 * 1024;
/// Unread request body that is swallowed to keep a connection alive.
constexpr std::size_t kDrainMax = 256 * 1024;
constexpr auto kLinger = std::chrono::seconds(2);

Method to_method(std::string_view name) {
    for (auto m : {Method::get, Method::post, Method::del, Method::head, Method::put, Method::patch,
                   Method::options})
        if (name == method_name(m)) return m;
    return Method::other;
}

bool passed(Duration limit, Duration elapsed) {
    return limit.count() > 0 && elapsed > limit;
}

}  // namespace

Connection::Connection(ServerShared& shared, GenericSocket socket)
    : shared_(shared), socket_(std::move(socket)), exchange_(*this) {
    enter(Phase::handshake);
}

void Connection::enter(Phase phase) {
    phase_ = phase;
    phase_since_ = shared_.world.steady_now();
}

asio::awaitable<void> Connection::run() {
    co_await asio::this_coro::throw_if_cancelled(false);
    if (shared_.tls) {
        auto shaken = co_await tls_accept(std::move(*socket_), shared_.tls);
        if (!shaken) {
            logger(shared_.config.name)
                ->debug("TLS handshake failed error=\"{}\"", shaken.error().text);
            co_return;
        }
        stream_ = std::move(shaken.value());
    } else {
        stream_ = plain_stream(std::move(*socket_));
    }
    socket_.reset();
    exchange_.request.remote = stream_->remote();
    bool threw = false;
    try {
        co_await serve();
    } catch (const std::exception& e) {
        threw = true;
        logger(shared_.config.name)
            ->error("a request ended by an exception error=\"{}\"", e.what());
    }
    if (!threw) co_await linger();
    stream_->close();
}

asio::awaitable<void> Connection::serve() {
    while (!shared_.stopping) {
        const auto head = co_await read_head();
        if (head != Head::ready) co_return;
        const bool keep = co_await answer();
        log_access();
        if (!keep) co_return;
    }
}

asio::awaitable<bool> Connection::fill() {
    std::memmove(in_.data(), in_.data() + in_at_, in_end_ - in_at_);
    in_end_ -= in_at_;
    in_at_ = 0;
    const std::size_t wanted = phase_ == Phase::busy ? kInputMax : in_end_ + kInputMin;
    if (in_.size() < wanted) in_.resize(wanted);
    if (in_.size() == in_end_) co_return false;
    ++waiting_;
    auto got = co_await stream_->read_some(in_.data() + in_end_, in_.size() - in_end_);
    --waiting_;
    if (!got || got.value() == 0) co_return false;
    in_end_ += got.value();
    co_return true;
}

asio::awaitable<Connection::Head> Connection::read_head() {
    const auto limit = shared_.config.header_bytes_max;
    exchange_.reset();
    ++request_number_;
    if (in_.size() > kInputMin && in_end_ - in_at_ < kInputMin) {
        in_ = in_.substr(in_at_, in_end_ - in_at_);
        in_end_ = in_.size();
        in_at_ = 0;
    }
    parser_.emplace(limit);
    std::swap(parser_->headers, exchange_.request.headers);
    enter(in_at_ == in_end_ ? Phase::idle : Phase::head);
    std::size_t used_total = 0;
    while (true) {
        if (in_at_ < in_end_) {
            if (phase_ == Phase::idle) enter(Phase::head);
            auto used = parser_->feed(BytesView(in_).substr(in_at_, in_end_ - in_at_));
            if (!used) {
                co_await refuse(parser_->header_too_large ? 431 : parser_->bad_version ? 505 : 400);
                co_return Head::refused;
            }
            in_at_ += used.value();
            used_total += used.value();
            if (parser_->is_header_done()) break;
            if (used_total + (in_end_ - in_at_) >= limit) {
                co_await refuse(431);
                co_return Head::refused;
            }
        }
        const bool more = co_await fill();
        if (!more) co_return Head::closed;
    }
    int status = used_total > limit ? 431 : check_head();
    const bool path_ok = take_head();
    if (status == 0 && !path_ok) status = 400;
    if (status == 0) co_return Head::ready;
    co_await refuse(status);
    co_return Head::refused;
}

int Connection::check_head() {
    if (parser_->version >= 11 && !parser_->headers.has("Host")) return 400;
    // Another coding would make the body's end a matter of opinion (RFC 9112 6.3).
    const auto coding = parser_->headers.get("Transfer-Encoding");
    if (!coding.empty() && !equals_nocase(coding, "chunked")) return 501;
    const auto expect = parser_->headers.get("Expect");
    expects_continue_ = !expect.empty() && parser_->version >= 11 && !parser_->is_done();
    if (!expect.empty() && !equals_nocase(expect, "100-continue")) return 417;
    return 0;
}

bool Connection::take_head() {
    auto& request = exchange_.request;
    std::swap(parser_->headers, request.headers);
    request.method = to_method(parser_->method);
    request.version = parser_->version;
    std::string_view target = parser_->target;
    if (target.starts_with("http://") || target.starts_with("https://")) {
        target.remove_prefix(std::min(target.find('/', target.find("//") + 2), target.size()));
        if (target.empty()) target = "/";
    }
    return request.set_target(target) && (target.starts_with('/') || target == "*");
}

asio::awaitable<void> Connection::refuse(int status) {
    // Answered by hand, in plain text: there is no request a handler could look at.
    const std::string line = std::to_string(status) + " " + std::string(status_text(status));
    const std::string out =
        "HTTP/1.1 " + line +
        "\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n" + line;
    auto sent = co_await write(out);
    if (!sent)
        logger(shared_.config.name)->debug("refusal not sent error=\"{}\"", sent.error().text);
}

asio::awaitable<bool> Connection::answer() {
    enter(Phase::busy);
    moved_at_ = phase_since_;
    auto handled = co_await shared_.handler(exchange_);
    if (!handled && !exchange_.started()) {
        auto sent = co_await exchange_.respond(500, "text/plain; charset=utf-8",
                                               handled.error().text + "\n");
        if (!sent) co_return false;
    } else if (!handled) {
        logger(shared_.config.name)
            ->debug("answer cut short path={} error=\"{}\"", exchange_.request.path,
                    handled.error().text);
        co_return false;
    }
    const bool keep = co_await finish_request();
    co_return keep;
}

asio::awaitable<bool> Connection::finish_request() {
    if (!exchange_.started()) {
        auto sent = co_await exchange_.respond(500, "text/plain; charset=utf-8", "no answer\n");
        if (!sent) co_return false;
    }
    if (!exchange_.finished_) {
        auto sent = co_await exchange_.finish();
        if (!sent) co_return false;
    }
    if (exchange_.failed_ || exchange_.close_ || !keeps_alive()) co_return false;
    if (expects_continue_) co_return false;  // the client may or may not send its body now
    std::size_t drained = 0;
    while (!parser_->is_done() || !parser_->body.empty()) {
        auto piece = co_await read_body();
        if (!piece || (drained += piece.value().size()) > kDrainMax) co_return false;
    }
    co_return true;
}

bool Connection::keeps_alive() const {
    const auto& request = exchange_.request;
    if (exchange_.close_ || shared_.stopping || request.headers.has_token("Connection", "close"))
        return false;
    return request.version >= 11 || request.headers.has_token("Connection", "keep-alive");
}

Async<Bytes> Connection::read_body() {
    while (true) {
        if (!parser_->body.empty()) co_return std::exchange(parser_->body, {});
        if (parser_->is_done()) co_return Bytes{};
        if (in_at_ < in_end_) {
            ICL_CO_TRY(auto used, parser_->feed(BytesView(in_).substr(in_at_, in_end_ - in_at_)));
            in_at_ += used;
            if (used > 0 || !parser_->body.empty()) continue;
        }
        if (expects_continue_) {
            expects_continue_ = false;
            if (!exchange_.head_sent_ && !exchange_.writing_) {
                ICL_CO_TRY(co_await write("HTTP/1.1 100 Continue\r\n\r\n"));
            }
        }
        const bool more = co_await fill();
        if (!more) {
            exchange_.close_ = true;
            const auto state = co_await asio::this_coro::cancellation_state;
            if (state.cancelled() != asio::cancellation_type::none)
                co_return fail(Kind::cancelled,
                               "the request was cut: its client is gone or too slow");
            co_return fail(Kind::corrupt, "the request body ended early");
        }
    }
}

Async<> Connection::write(BytesView bytes) {
    ++waiting_;
    auto sent = co_await stream_->write(bytes);
    --waiting_;
    co_return sent;
}

void Connection::post_flush() {
    asio::post(shared_.world.executor(), [weak = weak_from_this(), number = request_number_] {
        const auto self = weak.lock();
        if (self && self->stream_ && self->request_number_ == number) self->exchange_.flush_now();
    });
}

const std::string& Connection::date_field() {
    const auto second = std::chrono::floor<std::chrono::seconds>(shared_.world.system_now())
                            .time_since_epoch()
                            .count();
    if (second != shared_.date_second) {
        const std::time_t when = second;
        std::tm parts{};
        gmtime_r(&when, &parts);
        char text[64];
        std::strftime(text, sizeof text, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts);
        shared_.date_field = text;
        shared_.date_second = second;
    }
    return shared_.date_field;
}

// Closing while the client still sends would reset the connection and could destroy our answer on
// its way; so our side is closed first and the rest of the input is read away for a moment.
asio::awaitable<void> Connection::linger() {
    auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none || stream_->peer_closed()) co_return;
    enter(Phase::lingering);
    stream_->shutdown_send();
    in_at_ = in_end_ = 0;
    for (std::size_t read = 0; read < 64 * 1024 * 1024; read += in_end_, in_end_ = 0) {
        const bool more = co_await fill();
        if (!more) co_return;
    }
}

void Connection::sweep(SteadyTime now) {
    const Duration elapsed = now - phase_since_;
    const auto& config = shared_.config;
    switch (phase_) {
        case Phase::handshake:
        case Phase::head:
            if (passed(config.header_timeout, elapsed)) cut();
            return;
        case Phase::idle:
            if (passed(config.idle_timeout, elapsed) || shared_.stopping) cut();
            return;
        case Phase::lingering:
            if (elapsed > kLinger) cut();
            return;
        case Phase::busy:
            break;
    }
    const bool body_read = parser_->is_done();
    if ((!body_read && passed(config.read_timeout, elapsed)) ||
        passed(config.write_timeout, elapsed))
        return cut();
    if (body_read ? stream_->peer_closed() : stream_->broken()) return cut();
    if (waiting_ == 0 || stream_->moved() != moved_seen_) {
        moved_seen_ = stream_->moved();
        moved_at_ = now;
    } else if (passed(config.stall_timeout, now - moved_at_)) {
        cut();
    }
}

void Connection::end_when_idle() {
    if (phase_ == Phase::idle) cut();
}

void Connection::log_access() {
    if (!shared_.config.access_log) return;
    const auto& request = exchange_.request;
    const std::time_t when = std::chrono::floor<std::chrono::seconds>(shared_.world.system_now())
                                 .time_since_epoch()
                                 .count();
    std::tm parts{};
    gmtime_r(&when, &parts);
    char stamp[40];
    std::strftime(stamp, sizeof stamp, "%d/%b/%Y:%H:%M:%S +0000", &parts);
    const auto host = request.remote.substr(0, request.remote.rfind(':'));
    shared_.config.access_log(fmt::format(
        "{} - {} [{}] \"{} {} HTTP/{}.{}\" {} {}", host, request.user.empty() ? "-" : request.user,
        stamp, parser_->method, request.target, request.version / 10, request.version % 10,
        exchange_.status(), exchange_.body_bytes()));
}

}  // namespace ipfscluster::http
