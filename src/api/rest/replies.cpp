#include "api/rest/replies.hpp"

namespace ipfscluster::rest {

int status_of(const Error& error) {
    return error.kind == Kind::not_found ? 404 : 500;
}

Bytes error_body(int status, std::string_view message) {
    Bytes body = codec::to_json(codec::JsonError{status, std::string(message)});
    body += '\n';
    return body;
}

Async<> send_error(http::Exchange& exchange, int status, std::string message) {
    return exchange.respond(status, kJson, error_body(status, message));
}

Async<> send_nothing(http::Exchange& exchange, int status) {
    return exchange.respond(status, kJson, {});
}

Async<> detail::end_rows(http::Exchange& exchange, std::optional<Error> error) {
    if (!exchange.started()) co_return co_await send_nothing(exchange);
    // Go sends one empty value first; clients join what is not empty.
    exchange.add_trailer(kStreamError, "");
    if (error) exchange.add_trailer(kStreamError, error->text);
    co_return co_await exchange.finish();
}

}  // namespace ipfscluster::rest
