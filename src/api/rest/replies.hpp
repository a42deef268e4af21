#pragma once
#include <optional>
#include <string>

#include "codec/json.hpp"
#include "http/exchange.hpp"
#include "runtime/source.hpp"
#include "runtime/turn.hpp"

namespace ipfscluster::rest {

inline constexpr std::string_view kJson = "application/json";
inline constexpr std::string_view kStreamError = "X-Stream-Error";

/// The status of a failed operation (reference/http 1.6, 1.7): 404 for an absent pin, else 500.
int status_of(const Error& error);
/// `{"code":…,"message":…}` and a line end.
Bytes error_body(int status, std::string_view message);

Async<> send_error(http::Exchange& exchange, int status, std::string message);
inline Async<> send_error(http::Exchange& exchange, Error error) {
    const int status = status_of(error);
    return send_error(exchange, status, std::move(error.text));
}
/// 400: what the request says cannot be understood.
inline Async<> send_bad_request(http::Exchange& exchange, Error error) {
    return send_error(exchange, 400, std::move(error.text));
}
/// No body; the content type is sent all the same.
Async<> send_nothing(http::Exchange& exchange, int status = 204);

/// One JSON document and a line end.
template <class T>
Async<> send_json(http::Exchange& exchange, const T& value) {
    Bytes body = codec::to_json(value);
    body += '\n';
    return exchange.respond(200, kJson, std::move(body));
}

/// A result as the whole answer.
template <class T>
Async<> send_result(http::Exchange& exchange, Result<T> result) {
    if (!result) return send_error(exchange, result.error());
    return send_json(exchange, result.value());
}

/// How a list item is written; overloaded where JSON of the model is not the answer's form.
template <class T>
void append_row(std::string& out, const T& item) {
    codec::append_json(out, item);
}
inline void append_row(std::string& out, const PinInfo& item) {
    codec::append_global(out, item);
}

namespace detail {
Async<> end_rows(http::Exchange& exchange, std::optional<Error> error);
}  // namespace detail

/// A list as NDJSON (reference/http 1.6): 204 when empty, an error object when it fails before the
/// first item, else rows and the trailer that says how it ended. Holds one item at a time.
template <class T>
Async<> stream_rows(http::Exchange& exchange, SourcePtr<T> source) {
    exchange.headers.add("Trailer", kStreamError);
    std::optional<Error> failed;
    for (std::size_t row_count = 1;; ++row_count) {
        auto item = co_await source->next();
        if (!item && !exchange.started()) co_return co_await send_error(exchange, item.error());
        if (!item) {
            failed = item.error();
            break;
        }
        if (!item.value()) break;
        if (!exchange.started()) exchange.start(200, kJson);
        std::string row;
        append_row(row, *item.value());
        row += '\n';
        ICL_CO_TRY(co_await exchange.write(std::move(row)));
        if (row_count % kRowsPerTurn == 0) {
            ICL_CO_TRY(co_await take_turn());
        }
    }
    co_return co_await detail::end_rows(exchange, std::move(failed));
}

}  // namespace ipfscluster::rest
