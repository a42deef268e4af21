#include "client/transport.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.hpp"
#include "codec/json.hpp"
#include "runtime/task_group.hpp"

namespace ipfscluster::client {
namespace {

/// Which kind a status stands for, for callers that branch.
Kind kind_of(int status) {
    switch (status) {
        case 400:
            return Kind::invalid;
        case 401:
        case 403:
            return Kind::denied;
        case 404:
            return Kind::not_found;
        case 409:
            return Kind::conflict;
        case 503:
            return Kind::unavailable;
        default:
            return Kind::internal;
    }
}

std::string message_of(BytesView body) {
    const auto document = codec::parse_json<codec::JsonError>(body);
    if (document && !document.value().message.empty()) return document.value().message;
    while (!body.empty() && (body.back() == '\n' || body.back() == '\r')) body.remove_suffix(1);
    return std::string(body);
}

/// Whether another host may be asked: nothing can have happened at this one.
bool may_try_next(const Error& error, http::Method method) {
    return error.kind == Kind::unavailable ||
           (method == http::Method::get && error.kind == Kind::timeout);
}

/// A request that was sent and not answered in time may have been carried out.
Error sent_and_unanswered(Error error, http::Method method) {
    if (error.kind == Kind::timeout && method != http::Method::get && method != http::Method::head)
        error.kind = Kind::unknown_outcome;
    return error;
}

}  // namespace

Result<Duration> Answer::time_left() const {
    if (!deadline_) return Duration{};
    const auto left = *deadline_ - world_.steady_now();
    if (left <= SteadyTime::duration::zero())
        return fail(Kind::timeout, "the request took longer than --timeout allows");
    return std::chrono::duration_cast<Duration>(left);
}

Call<> Answer::check() {
    ICL_CO_TRY(const auto left, time_left());
    if (left.count() > 0) {
        auto head = co_await with_deadline<void>(world_, left, "waiting for the answer",
                                                 call_->read_head());
        if (!head) co_return api_fail(sent_and_unanswered(head.error(), call_->method()));
    } else {
        ICL_CO_TRY(co_await call_->read_head());
    }
    const int status = call_->status();
    logger("apiclient")->debug("answer status={}", status);
    if (status >= 200 && status < 300) co_return ok();
    if (status < 400) {
        // Its body is for a browser. Whoever sent it (a proxy, another server), nothing was done.
        const auto target = call_->headers().get("Location");
        co_return api_fail({status, Kind::unavailable,
                            "HTTP status " + std::to_string(status) +
                                (target.empty() ? std::string(" without an answer")
                                                : " sends to " + std::string(target)) +
                                "; redirections are not followed"});
    }
    const auto body = co_await read_all();
    const std::string text = body ? message_of(body.value()) : std::string();
    co_return api_fail(
        {status, kind_of(status), text.empty() ? "HTTP status " + std::to_string(status) : text});
}

Call<Bytes> Answer::read() {
    ICL_CO_TRY(const auto left, time_left());
    Bytes piece;
    if (left.count() > 0) {
        ICL_CO_TRY(piece, co_await with_deadline<Bytes>(world_, left, "reading the answer",
                                                        call_->read()));
    } else {
        ICL_CO_TRY(piece, co_await call_->read());
    }
    if (!piece.empty()) {
        // Content may be anything, and of any size.
        if (call_->headers().get("Content-Type").starts_with("application/json"))
            logger("apiclient")->debug("answer body={}", piece);
        co_return piece;
    }
    const std::string trailer = call_->trailer_error();
    if (!trailer.empty()) co_return api_fail({500, Kind::internal, trailer});
    co_return Bytes{};
}

Call<Bytes> Answer::read_all() {
    Bytes whole;
    while (true) {
        ICL_CO_TRY(auto piece, co_await read());
        if (piece.empty()) co_return whole;
        if (whole.size() + piece.size() > kDocumentBytesMax)
            co_return api_fail(Error{Kind::corrupt, "the answer is too large"});
        whole.append(piece);
    }
}

Transport::Transport(World& world, ClientOptions options)
    : world_(world), timeout_(options.timeout) {
    for (auto& host : options.hosts) {
        // What was not even connected may be asked of the next host, so that must not take all of
        // the time.
        if (timeout_.count() > 0)
            host.connect_timeout = std::min(host.connect_timeout, timeout_ / 2);
        hosts_.push_back(std::make_unique<http::Client>(world, std::move(host)));
    }
}

std::optional<SteadyTime> Transport::deadline() const {
    if (timeout_.count() <= 0) return std::nullopt;
    return world_.steady_now() + std::chrono::duration_cast<SteadyTime::duration>(timeout_);
}

Call<AnswerPtr> Transport::start(http::ClientRequest request, bool whole) {
    Error last{Kind::invalid, "no host to ask"};
    for (auto& host : hosts_) {
        const auto until = deadline();
        const auto& config = host->config();
        logger("apiclient")
            ->debug("request: {} {} host={}", http::method_name(request.method), request.target,
                    config.unix_path.empty() ? fmt::format("{}:{}", config.host, config.port)
                                             : config.unix_path);
        auto work = whole ? host->send(request) : host->open(request);
        std::optional<Result<http::ClientCallPtr>> call;
        if (until)
            call.emplace(co_await with_deadline<http::ClientCallPtr>(
                world_, timeout_, "the request", std::move(work)));
        else
            call.emplace(co_await std::move(work));
        if (*call) co_return std::make_unique<Answer>(world_, std::move(call->value()), until);
        last = sent_and_unanswered(call->error(), request.method);
        if (!may_try_next(last, request.method)) break;
    }
    co_return api_fail(last);
}

Call<AnswerPtr> Transport::send(http::ClientRequest request) {
    ICL_CO_TRY(auto answer, co_await start(std::move(request), true));
    ICL_CO_TRY(co_await answer->check());
    co_return answer;
}

Call<AnswerPtr> Transport::open(http::ClientRequest request) {
    request.streamed = true;
    auto answer = co_await start(std::move(request), false);
    co_return answer;
}

void Transport::close() {
    for (const auto& host : hosts_) host->close();
}

}  // namespace ipfscluster::client
