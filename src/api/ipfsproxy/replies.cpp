#include "api/ipfsproxy/replies.hpp"

namespace ipfscluster::ipfsproxy {

std::string failure_body(int status, std::string_view message) {
    std::string body = "{\"Message\":";
    codec::append_json(body, message);
    body += ",\"Code\":";
    body += status == 400 ? "1" : "0";
    body += ",\"Type\":\"error\"}\n";
    return body;
}

Async<> send_failure(Exchange& e, int status, std::string message) {
    return e.respond(status, kJson, failure_body(status, message));
}

Async<> send_failure(Exchange& e, Error error) {
    if (error.kind == Kind::cancelled) co_return fail(std::move(error));
    co_return co_await send_failure(e, 500, std::move(error.text));
}

Async<> send_json(Exchange& e, std::string body) {
    body += '\n';
    return e.respond(200, kJson, std::move(body));
}

void start_rows(Exchange& e) {
    e.headers.set("X-Chunked-Output", "1");
    e.headers.set("Trailer", kStreamError);
    e.start(200, kJson);
}

Async<> end_rows(Exchange& e, Result<> done) {
    if (!done) {
        if (done.error().kind == Kind::cancelled) co_return done;
        e.add_trailer(kStreamError, done.error().text);
    }
    co_return co_await e.finish();
}

}  // namespace ipfscluster::ipfsproxy
