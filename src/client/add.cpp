#include "base/encoding.hpp"
#include "client/rest_client.hpp"
#include "codec/pin_query.hpp"
#include "runtime/join.hpp"

namespace ipfscluster::client {
namespace {

/// What the reading half of an add leaves behind. Lives in the frame of `add`.
struct Reader {
    Answer& answer;
    std::function<void(AddedOutput)>& on_output;
    std::optional<ApiResult<>> result;
    bool named = false;  ///< what was added
};

Call<> read_outputs(Reader* reader) {
    ICL_CO_TRY(co_await reader->answer.check());
    http::LineSplitter lines(kDocumentBytesMax);
    while (true) {
        ICL_CO_TRY(auto piece, co_await reader->answer.read());
        if (!piece.empty()) {
            ICL_CO_TRY(lines.feed(piece));
        }
        while (auto line = lines.next()) {
            auto output = codec::parse_json<AddedOutput>(*line);
            if (!output) co_return api_fail(output.error().in("the server's answer"));
            reader->named = reader->named || output.value().cid.defined();
            reader->on_output(std::move(output.value()));
        }
        if (!piece.empty()) continue;
        if (!reader->named)
            co_return api_fail(Error{Kind::corrupt, "the answer does not say what was added"});
        co_return ok();
    }
}

asio::awaitable<void> run_reader(Reader* reader) {
    auto result = co_await read_outputs(reader);
    reader->result.emplace(std::move(result));
}

/// Sends the whole body. An error of the source is told apart from one of the connection: after the
/// latter the server's own words count, if it said any.
struct Sent {
    std::optional<Error> source, connection;
};

asio::awaitable<Sent> send_body(Reader* reader, Source<Bytes>* body) {
    auto& call = reader->answer.call();
    while (!reader->result) {
        auto piece = co_await body->next();
        if (!piece) co_return Sent{piece.error(), {}};
        if (reader->result) break;
        if (!piece.value()) {
            auto finished = co_await call.finish_body();
            if (!finished) co_return Sent{{}, finished.error()};
            break;
        }
        auto written = co_await call.write_body(std::move(*piece.value()));
        if (!written) co_return Sent{{}, written.error()};
    }
    co_return Sent{};
}

}  // namespace

std::string add_query(const AddParams& params) {
    std::string query = codec::format_pin_options(params.pin);
    const auto put = [&](std::string_view name, std::string_view value) {
        query.append("&").append(name).append("=").append(url_escape(value));
    };
    const auto put_flag = [&](std::string_view name, bool value) {
        put(name, value ? "true" : "false");
    };
    put("chunker", params.chunker);
    put("cid-version", std::to_string(params.cid_version));
    put("format", params.format);
    put("hash", params.hash);
    put_flag("hidden", params.hidden);
    put("layout", params.layout);
    put_flag("local", params.local);
    put_flag("no-pin", params.no_pin);
    put_flag("nocopy", params.nocopy);
    put_flag("progress", params.progress);
    put_flag("raw-leaves", params.raw_leaves);
    put_flag("recursive", params.recursive);
    put_flag("shard", false);
    put_flag("stream-channels", true);
    put_flag("wrap-with-directory", params.wrap);
    return query;
}

Call<> RestClient::add(AddParams params, std::string content_type, Source<Bytes>& body,
                       std::function<void(AddedOutput)> on_output) {
    http::ClientRequest request;
    request.method = http::Method::post;
    request.target = "/add?" + add_query(params);
    request.headers.add("Content-Type", content_type);
    ICL_CO_TRY(auto answer, co_await transport_.open(std::move(request)));
    Reader reader{*answer, on_output, {}};
    TaskGroup group(transport_.world(), "add");
    group.spawn(run_reader(&reader));
    const Sent sent = co_await send_body(&reader, &body);
    if (sent.source) {
        // Dropping the unfinished request closes the connection: the server sees a broken upload.
        co_await join(group);
        co_return api_fail(*sent.source);
    }
    const auto drained = co_await group.drain();
    if (!drained) co_await join(group);
    if (!reader.result) co_return api_fail(drained ? Error{} : drained.error());
    if (!*reader.result && reader.result->error().code == 0 && sent.connection)
        co_return api_fail(*sent.connection);
    if (*reader.result && sent.connection)
        co_return api_fail(sent.connection->in("the server did not take the whole upload"));
    co_return *reader.result;
}

}  // namespace ipfscluster::client
