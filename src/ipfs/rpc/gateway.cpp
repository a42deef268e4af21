#include "ipfs/rpc/gateway.hpp"

#include "codec/json_writer.hpp"
#include "http/range.hpp"

namespace ipfscluster::kubo_rpc {
namespace {

Async<> send_failure(http::Exchange& e, int status, std::string message) {
    std::string body = "{\"Message\":";
    codec::append_json(body, message);
    body += ",\"Code\":0,\"Type\":\"error\"}\n";
    co_return co_await e.respond(status, "application/json", std::move(body));
}

/// Sends the rest of a content whose first piece is at hand; a failure cuts the answer.
Async<> copy_rest(http::Exchange& e, SourcePtr<Bytes> content, std::optional<Bytes> piece) {
    while (piece) {
        ICL_CO_TRY(co_await e.write(std::move(*piece)));
        ICL_CO_TRY(piece, co_await content->next());
    }
    co_return ok();
}

}  // namespace

Async<> gateway(component::IpfsConnector& ipfs, http::Exchange& e, std::string path) {
    auto info = co_await ipfs.stat(path);
    if (!info)
        co_return co_await send_failure(e, info.error().kind == Kind::not_found ? 404 : 400,
                                        info.error().text);
    if (info.value().directory) co_return co_await send_failure(e, 400, path + " is a directory");
    const auto size = info.value().size;
    const std::string tag = "\"" + info.value().cid.to_string() + "\"";
    e.headers.add("ETag", tag);
    e.headers.add("Accept-Ranges", "bytes");
    e.headers.add("X-Content-Type-Options", "nosniff");
    if (e.request.headers.has_token("If-None-Match", tag)) co_return co_await e.respond_empty(304);
    const auto answer = http::parse_range(e.request.headers.get("Range"), size);
    if (answer.kind == http::RangeKind::unsatisfiable) {
        e.headers.add("Content-Range", "bytes */" + std::to_string(size));
        co_return co_await send_failure(e, 416, "the range lies beyond the end of the file");
    }
    const auto [from, length] = answer.range;
    const bool part = answer.kind == http::RangeKind::part;
    if (part)
        e.headers.add("Content-Range", "bytes " + std::to_string(from) + "-" +
                                           std::to_string(from + length - 1) + "/" +
                                           std::to_string(size));
    SourcePtr<Bytes> content;
    std::optional<Bytes> piece;
    if (length > 0 && e.request.method != http::Method::head) {
        auto opened = co_await ipfs.cat(info.value().cid, from, length);
        if (!opened) co_return co_await send_failure(e, 500, opened.error().text);
        content = std::move(opened).value();
        auto first = co_await content->next();
        if (!first) co_return co_await send_failure(e, 500, first.error().text);
        piece = std::move(first).value();
    }
    ICL_CO_TRY(co_await e.start_sized(part ? 206 : 200, "application/octet-stream", length));
    ICL_CO_TRY(co_await copy_rest(e, std::move(content), std::move(piece)));
    co_return co_await e.finish();
}

}  // namespace ipfscluster::kubo_rpc
