#include "ipfs/http/kubo_client.hpp"

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include "base/encoding.hpp"
#include "base/log.hpp"
#include "runtime/join.hpp"

namespace ipfscluster::ipfshttp {
namespace {

auto log() {
    return logger("ipfshttp");
}

http::ClientConfig with_bounds(http::ClientConfig config, const KuboClientOptions& options,
                               std::size_t connections_max) {
    config.connect_timeout = options.connect_limit;
    // Times are kept here, where it is known what a silence means.
    config.head_timeout = {};
    config.stall_timeout = {};
    config.connections_max = connections_max;
    config.idle_connections_max = std::min(connections_max, kIdleConnectionsMax);
    return config;
}

http::ClientRequest request_for(const KuboCall& call) {
    http::ClientRequest request;
    request.method = http::Method::post;
    request.target = "/api/v0/" + call.path;
    char before = '?';
    for (const auto& [name, value] : call.arguments) {
        request.target.append(1, before).append(name).append("=").append(url_escape(value));
        before = '&';
    }
    // Kubo refuses what looks like a browser.
    request.headers.add("User-Agent", "ipfs-cluster-cpp/" + std::string(kClusterVersion));
    if (!call.content_type.empty()) request.headers.add("Content-Type", call.content_type);
    request.streamed = call.streamed;
    return request;
}

/// The end of an answer shows only in these two framings; without one a cut would pass for an end.
bool is_framed(const http::ClientCall& call) {
    return call.headers().has("Content-Length") ||
           call.headers().has_token("Transfer-Encoding", "chunked");
}

/// The failure with the call's name in it.
Error named(const std::string& path, const Error& error) {
    return error.text.find(path) == std::string::npos ? error.in(path) : error;
}

bool is_lost(const Error& error) {
    return error.kind == Kind::unknown_outcome || error.kind == Kind::unavailable;
}

}  // namespace

KuboClient::KuboClient(World& world, http::ClientConfig config, KuboClientOptions options,
                       KuboClientEvents events)
    : world_(world),
      options_(std::move(options)),
      events_(std::move(events)),
      http_(world, with_bounds(config, options_, options_.connections_max)),
      probe_http_(world, with_bounds(std::move(config), options_, 1)),
      breaker_(options_.times),
      changed_(world.executor()),
      tasks_(world, "ipfshttp") {}

void KuboClient::start() {
    tasks_.spawn(supervise());
}

Async<> KuboClient::stop() {
    http_.close();
    probe_http_.close();
    auto stopped = co_await tasks_.stop();
    co_return stopped;
}

asio::awaitable<void> KuboClient::supervise() {
    while (true) {
        const auto due = breaker_.next_probe();
        const auto now = world_.steady_now();
        if (now < due) {
            auto woken =
                co_await with_deadline<void>(world_, due - now, "the next probe", changed_.wait());
            if (!woken && woken.error().kind == Kind::cancelled) co_return;
            continue;
        }
        breaker_.probe_started(now);
        ++probes_;
        const bool was_closed = breaker_.closed();
        const bool first = !identity_;
        auto id = co_await with_deadline<IpfsId>(world_, options_.probe_limit, "the IPFS daemon",
                                                 probe());
        if (!id && (id.error().kind == Kind::cancelled || id.error().kind == Kind::shutting_down))
            co_return;
        const bool gone = !id && (is_lost(id.error()) || id.error().kind == Kind::timeout);
        if (gone) {
            if (was_closed) log()->warn("the IPFS daemon is away error=\"{}\"", id.error().text);
            breaker_.probe_failed(id.error().text);
        } else {
            breaker_.probe_answered();
            events_.answered(world_.steady_now() - now);
            if (!id)
                log()->warn("the IPFS daemon does not say who it is error=\"{}\"", id.error().text);
            if (!was_closed) log()->info("the IPFS daemon {}", first ? "answers" : "is back");
            if (id) {
                identity_ = std::move(id).value();
                if (options_.on_id) options_.on_id(*identity_);
            }
        }
        changed_.notify_all();
        if (!was_closed && breaker_.closed()) events_.back();
    }
}

Async<IpfsId> KuboClient::probe() {
    // Past the breaker.
    KuboCall call;
    call.path = "id";
    auto answer = co_await probe_http_.fetch(request_for(call), kAnswerBytesMax);
    if (!answer) co_return fail(answer.error());
    const auto& got = answer.value();
    if (got.status != 200)
        co_return fail(daemon_error("id", got.status, error_words(got.body), options_.self));
    auto id = parse_id(got.body);
    if (!id) co_return fail(id.error().in("id"));
    co_return id;
}

void KuboClient::answered() {
    const bool was_closed = breaker_.closed();
    breaker_.answered();
    if (!was_closed) events_.back();
}

void KuboClient::suspect() {
    breaker_.suspect();
    changed_.notify_all();
}

Async<> KuboClient::alarm(Patience patience) {
    const auto limit = patience.limit;
    const auto start = world_.steady_now();
    const bool limited = limit.count() > 0;
    const auto end = limited ? start + std::chrono::duration_cast<SteadyTime::duration>(limit)
                             : SteadyTime::max();
    while (true) {
        const auto look = world_.steady_now() +
                          std::chrono::duration_cast<SteadyTime::duration>(options_.silence);
        ICL_CO_TRY(co_await world_.sleep_until(std::min(look, end)));
        const bool away = !breaker_.closed();
        if (away && patience.gives_up)
            co_return fail(Kind::unavailable,
                           "the IPFS daemon does not answer: " + breaker_.reason());
        if (world_.steady_now() >= end) {
            if (away)
                co_return fail(Kind::unavailable,
                               "the IPFS daemon does not answer: " + breaker_.reason());
            co_return fail(Kind::timeout,
                           "nothing came from the IPFS daemon for " + format_go_duration(limit));
        }
        suspect();
    }
}

template <class T>
Async<T> KuboClient::guarded(Patience patience, Async<T> work) {
    using namespace asio::experimental::awaitable_operators;
    if (patience.kept_outside) co_return co_await std::move(work);
    ICL_CO_TRY(co_await check_cancelled());
    auto first = co_await (detail::as_optional<T>(std::move(work)) ||
                           detail::as_optional<void>(alarm(patience)));
    if (first.index() == 0) co_return std::move(*std::get<0>(first));
    co_return fail(std::get<1>(first)->error());
}

Async<> KuboClient::explain_cut(std::string path, Error error) {
    suspect();
    // The probe tells whether the daemon has gone or only this answer broke.
    while (breaker_.suspected()) {
        auto woken = co_await with_deadline<void>(
            world_, options_.probe_limit + options_.times.probe_interval, "the probe",
            changed_.wait());
        if (!woken && woken.error().kind == Kind::cancelled) co_return woken;
        if (!woken) break;
    }
    error.kind = breaker_.closed() ? Kind::corrupt : Kind::unavailable;
    co_return fail(error.in("the daemon's answer to " + path + " broke off"));
}

Async<http::ClientCallPtr> KuboClient::connect(http::ClientRequest request) {
    auto opened = co_await http_.open(request);
    // A kept connection may have died under the write; a new one tells.
    if (!opened && opened.error().kind == Kind::unavailable)
        opened = co_await http_.open(std::move(request));
    if (opened ||
        (opened.error().kind != Kind::unavailable && opened.error().kind != Kind::timeout))
        co_return opened;
    auto error = opened.error();
    error.kind = Kind::unavailable;
    if (breaker_.closed()) {
        log()->warn("the IPFS daemon is away error=\"{}\"", error.text);
        breaker_.refused(error.text);
        changed_.notify_all();
    }
    co_return fail(std::move(error));
}

Async<KuboStreamPtr> KuboClient::begin(KuboCall call) {
    if (!breaker_.closed())
        co_return fail(Kind::unavailable, "the IPFS daemon is away: " + breaker_.reason());
    auto opened = co_await guarded<http::ClientCallPtr>(call.patience, connect(request_for(call)));
    if (!opened) co_return fail(named(call.path, opened.error()));
    co_return std::make_unique<KuboStream>(*this, std::move(opened).value(), std::move(call));
}

Async<KuboStreamPtr> KuboClient::send_once(KuboCall call) {
    ICL_CO_TRY(auto stream, co_await begin(std::move(call)));
    ICL_CO_TRY(co_await stream->read_head());
    co_return stream;
}

Async<KuboStreamPtr> KuboClient::open(KuboCall call) {
    auto first = co_await send_once(call);
    if (first || first.error().kind != Kind::unknown_outcome) co_return first;
    // A kept connection that the daemon has just closed. Every call may be repeated: pinning twice
    // is pinning.
    auto again = co_await send_once(std::move(call));
    if (again || again.error().kind != Kind::unknown_outcome) co_return again;
    ICL_CO_TRY(co_await explain_cut("a call", again.error()));
    co_return again;
}

Async<Bytes> KuboClient::fetch(KuboCall call) {
    // One watch over all of it: a pin costs two or three such calls.
    const auto patience = std::exchange(call.patience, Patience{.kept_outside = true});
    const std::string path = call.path;
    auto whole = co_await guarded<Bytes>(patience, fetch_whole(std::move(call)));
    if (!whole) co_return fail(named(path, whole.error()));
    co_return whole;
}

Async<Bytes> KuboClient::fetch_whole(KuboCall call) {
    ICL_CO_TRY(auto stream, co_await open(std::move(call)));
    Bytes whole;
    while (true) {
        ICL_CO_TRY(auto piece, co_await stream->read());
        if (piece.empty()) co_return whole;
        if (whole.size() + piece.size() > kAnswerBytesMax)
            co_return fail(Kind::corrupt, "the daemon's answer to " + stream->path() +
                                              " is larger than " + std::to_string(kAnswerBytesMax) +
                                              " bytes");
        whole += piece;
    }
}

KuboStream::KuboStream(KuboClient& client, http::ClientCallPtr call, KuboCall about)
    : client_(client), call_(std::move(call)), about_(std::move(about)) {}

Async<> KuboStream::write_body(Bytes piece) {
    auto sent =
        co_await client_.guarded<void>(about_.patience, call_->write_body(std::move(piece)));
    co_return sent;
}

Async<> KuboStream::finish_body() {
    auto sent = co_await client_.guarded<void>(about_.patience, call_->finish_body());
    co_return sent;
}

Async<> KuboStream::read_head() {
    auto came = co_await client_.guarded<void>(about_.patience, call_->read_head());
    if (!came) co_return fail(named(about_.path, came.error()));
    client_.answered();
    const int status = call_->status();
    if (status == 200) {
        if (is_framed(*call_)) co_return ok();
        co_return fail(Kind::corrupt,
                       "the daemon's answer to " + about_.path + " does not say where it ends");
    }
    auto body = co_await client_.guarded<Bytes>(about_.patience, call_->read_all(kLineBytesMax));
    if (!body && body.error().kind == Kind::cancelled) co_return fail(body.error());
    const auto words = body ? error_words(body.value()) : body.error().text;
    co_return fail(daemon_error(about_.path, status, words, client_.options_.self));
}

Async<Bytes> KuboStream::read() {
    if (ended_) co_return Bytes{};
    auto piece = co_await client_.guarded<Bytes>(about_.patience, call_->read());
    if (!piece) {
        const auto& error = piece.error();
        if (error.kind == Kind::corrupt || is_lost(error)) {
            // `guarded` has already said that nobody answers.
            if (!client_.breaker_.closed()) {
                auto gone = named(about_.path, error);
                gone.kind = Kind::unavailable;
                co_return fail(std::move(gone));
            }
            ICL_CO_TRY(co_await client_.explain_cut(about_.path, error));
        }
        co_return fail(named(about_.path, error));
    }
    client_.answered();
    if (!piece.value().empty()) co_return piece;
    ended_ = true;
    const auto late = call_->trailer_error();
    if (!late.empty()) co_return fail(daemon_error(about_.path, 200, late, client_.options_.self));
    co_return Bytes{};
}

Async<std::optional<std::string>> KuboStream::next_line() {
    while (true) {
        if (auto line = lines_.next()) co_return line;
        ICL_CO_TRY(auto piece, co_await read());
        if (piece.empty()) break;
        auto fed = lines_.feed(piece);
        if (!fed) co_return fail(fed.error().in("the daemon's answer to " + about_.path));
    }
    auto rest = lines_.rest();
    if (rest.empty()) co_return std::optional<std::string>{};
    co_return std::optional<std::string>(std::move(rest));
}

}  // namespace ipfscluster::ipfshttp
