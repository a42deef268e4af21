#include "api/content/serve.hpp"

#include "api/content/tar_stream.hpp"
#include "base/encoding.hpp"
#include "base/log.hpp"
#include "codec/pin_query.hpp"
#include "http/range.hpp"
#include "http/tar_format.hpp"

namespace ipfscluster::content {

namespace {

using component::FileInfo;
using component::IpfsConnector;
using http::Exchange;

constexpr std::string_view kStreamError = "X-Stream-Error";

/// Content that cannot be had is a gateway's error; here `not_found` means a missing name.
int content_status(const Error& error) {
    switch (error.kind) {
        case Kind::not_found:
            return 404;
        case Kind::invalid:
            return 400;
        case Kind::timeout:
            return 504;
        default:
            return 500;
    }
}

Async<SourcePtr<Bytes>> open_content(IpfsConnector& ipfs, Cid file, http::ByteRange range,
                                     std::optional<Bytes>& first) {
    ICL_CO_TRY(auto content, co_await ipfs.cat(file, range.first, range.length));
    ICL_CO_TRY(first, co_await content->next());
    co_return content;
}

Async<> send_file(IpfsConnector& ipfs, Exchange& e, FileInfo info, SendFailure fail_with) {
    const auto answer = http::parse_range(e.request.headers.get("Range"), info.size);
    const auto& [first, length] = answer.range;
    e.headers.add("Accept-Ranges", "bytes");
    // Never a type a browser would run with this API's rights.
    e.headers.add("X-Content-Type-Options", "nosniff");
    if (answer.kind == http::RangeKind::unsatisfiable) {
        e.headers.add("Content-Range", "bytes */" + std::to_string(info.size));
        co_return co_await fail_with(
            e, 416, "range: beyond the " + std::to_string(info.size) + " bytes of the file");
    }
    const bool part = answer.kind == http::RangeKind::part;
    if (part)
        e.headers.add("Content-Range", "bytes " + std::to_string(first) + "-" +
                                           std::to_string(first + length - 1) + "/" +
                                           std::to_string(info.size));
    const bool body = e.request.method != http::Method::head && length > 0;
    SourcePtr<Bytes> content;
    std::optional<Bytes> piece;
    if (body) {
        // The first bytes must be at hand before success is claimed.
        auto opened = co_await open_content(ipfs, info.cid, answer.range, piece);
        if (!opened)
            co_return co_await fail_with(e, content_status(opened.error()), opened.error().text);
        content = std::move(opened.value());
    }
    ICL_CO_TRY(co_await e.start_sized(part ? 206 : 200, "application/octet-stream", length));
    for (std::uint64_t left = body ? length : 0; left > 0;) {
        if (!piece || piece->size() > left)
            co_return fail(Kind::corrupt, "the file does not have its size");
        left -= piece->size();
        ICL_CO_TRY(co_await e.write(std::move(*piece)));
        if (left == 0) break;
        ICL_CO_TRY(piece, co_await content->next());
    }
    co_return co_await e.finish();
}

Async<> send_tar(IpfsConnector& ipfs, Exchange& e, FileInfo info, std::string name) {
    e.headers.add("Trailer", kStreamError);
    e.headers.add("Content-Disposition",
                  "attachment; filename*=UTF-8''" + url_escape(name) + ".tar");
    e.start(200, "application/x-tar");
    if (e.request.method == http::Method::head) co_return co_await e.finish();
    auto* to = &e;
    ByteSink sink = [to](Bytes piece) { return to->write(std::move(piece)); };
    auto written = co_await write_tar(ipfs, sink, std::move(info), name);
    if (!written) {
        if (written.error().kind == Kind::cancelled) co_return written;
        logger("content")->warn("archive broken off path={} error=\"{}\"", e.request.path,
                                written.error().text);
        ICL_CO_TRY(co_await e.write(http::tar_damage(written.error().text)));
        e.add_trailer(kStreamError, written.error().text);
    }
    co_return co_await e.finish();
}

}  // namespace

Async<> serve(IpfsConnector& ipfs, Exchange& e, std::string path, SendFailure fail_with) {
    const auto query = codec::parse_query(e.request.query);
    if (!query) co_return co_await fail_with(e, 400, query.error().in("query").text);
    const std::string format(codec::query_value(query.value(), "format"));
    if (!format.empty() && format != "tar")
        co_return co_await fail_with(e, 400, "format: \"" + format + "\" is not tar");
    auto info = co_await ipfs.stat(path);
    if (!info) co_return co_await fail_with(e, content_status(info.error()), info.error().text);
    const std::string tag =
        "\"" + info.value().cid.to_string() + (format.empty() ? "" : ".tar") + "\"";
    e.headers.add("ETag", tag);
    if (e.request.headers.has_token("If-None-Match", tag)) co_return co_await e.respond_empty(304);
    if (format == "tar") {
        std::string name = path.substr(path.rfind('/') + 1);
        co_return co_await send_tar(ipfs, e, std::move(info.value()), std::move(name));
    }
    if (info.value().directory)
        co_return co_await fail_with(e, 400, path + " is a directory: ask for it with format=tar");
    co_return co_await send_file(ipfs, e, std::move(info.value()), fail_with);
}

}  // namespace ipfscluster::content
