// pin/add, pin/rm, pin/update.
#include "api/ipfsproxy/handlers.hpp"
#include "api/ipfsproxy/pin_wait.hpp"
#include "api/ipfsproxy/pin_wish.hpp"
#include "api/ipfsproxy/replies.hpp"
#include "http/multipart_reader.hpp"

namespace ipfscluster::ipfsproxy {

namespace {

/// Arguments that come in the body (a client's standard input), as one file of lines.
constexpr std::size_t kBodyArgsBytesMax = 1024 * 1024;
/// Arguments of one request.
constexpr std::size_t kArgsMax = 4096;

Async<std::vector<std::string>> read_body_args(Exchange& e) {
    std::vector<std::string> args;
    auto boundary = http::multipart_boundary(e.request.headers.get("Content-Type"));
    if (!boundary) co_return args;
    auto* from = &e;
    http::MultipartReader parts(std::move(boundary.value()), [from] { return from->read_body(); });
    std::string text;
    ICL_CO_TRY(auto head, co_await parts.next_part());
    while (head) {
        ICL_CO_TRY(auto piece, co_await parts.read());
        if (piece.empty()) break;
        text += piece;
        if (text.size() > kBodyArgsBytesMax)
            co_return fail(Kind::invalid, "the arguments in the body are longer than " +
                                              std::to_string(kBodyArgsBytesMax) + " bytes");
    }
    for (std::string_view rest = text; !rest.empty();) {
        auto line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (!line.empty()) args.emplace_back(line);
    }
    co_return args;
}

/// What `arg` names. Paths that go deeper than a CID are the daemon's to resolve.
Async<Cid> resolve(Deps deps, std::string arg) {
    ICL_CO_TRY(auto path, parse_content_path(arg));
    if (path.cid) co_return std::move(*path.cid);
    auto cid = co_await deps.cluster.ipfs().resolve(std::move(path.text));
    co_return cid;
}

/// Depth as asked for: Kubo's `recursive`, or Go's `type=direct`.
Result<PinMode> mode_of(const codec::Query& query) {
    ICL_TRY(const bool recursive, bool_option(query, "recursive", true));
    const bool direct = find_option(query, "type").value_or("") == "direct";
    return recursive && !direct ? PinMode::recursive : PinMode::direct;
}

std::string pins_body(const std::vector<std::string>& cids) {
    std::string body = "{\"Pins\":";
    codec::append_json(body, cids);
    return body + "}";
}

Async<std::vector<std::string>> pin_all(Deps deps, const Call& call, ProgressLines& lines) {
    ICL_CO_TRY(const auto mode, mode_of(call.query));
    ICL_CO_TRY(const auto text, CidWriter::from(call.query));
    const std::string name(find_option(call.query, "name").value_or(""));
    std::vector<Cid> cids;
    for (const auto& arg : call.args) {
        ICL_CO_TRY(auto cid, co_await resolve(deps, arg));
        cids.push_back(std::move(cid));
    }
    // All are agreed on before the first is waited for, so that the peers work on them together.
    for (const auto& cid : cids) {
        auto wanted = wanted_pin(deps.cluster, cid, mode, name);
        if (!wanted) continue;
        auto pinned = co_await deps.cluster.pin(std::move(*wanted));
        if (!pinned) co_return fail(pinned.error());
    }
    std::vector<std::string> out;
    for (const auto& cid : cids) {
        ICL_CO_TRY(co_await wait_until_held(deps, cid, lines));
        out.push_back(text(cid));
    }
    co_return out;
}

/// Adds arguments that came in the body (Kubo's command line sends the first line of its standard
/// input as `arg` and the others there); false when the request was answered.
Async<bool> complete_args(Exchange& e, Call& call) {
    auto more = co_await read_body_args(e);
    if (!more) {
        ICL_CO_TRY(co_await send_failure(e, 400, more.error().text));
        co_return false;
    }
    for (auto& arg : more.value()) call.args.push_back(std::move(arg));
    std::string wrong;
    if (call.args.empty()) wrong = "argument \"ipfs-path\" is required";
    if (call.args.size() > kArgsMax) wrong = "more than " + std::to_string(kArgsMax) + " arguments";
    if (wrong.empty()) co_return true;
    ICL_CO_TRY(co_await send_failure(e, 400, std::move(wrong)));
    co_return false;
}

Error not_pinned(const Error& error) {
    // Kubo's words; clients tell by them that there is nothing to unpin.
    if (error.kind == Kind::not_found) return {Kind::not_found, "not pinned or pinned indirectly"};
    return error;
}

}  // namespace

Async<> post_pin_add(Deps deps, Exchange& e, Call call) {
    ICL_CO_TRY(const bool more, co_await complete_args(e, call));
    if (!more) co_return ok();
    auto progress = bool_option(call.query, "progress", false);
    if (!progress) co_return co_await send_failure(e, 400, progress.error().text);
    ProgressLines lines(deps.world, e, progress.value());
    auto pins = co_await pin_all(deps, call, lines);
    if (!pins && !e.started()) co_return co_await send_failure(e, pins.error());
    if (!pins) co_return co_await end_rows(e, fail(pins.error()));
    auto body = pins_body(pins.value());
    if (!e.started() && !progress.value()) co_return co_await send_json(e, std::move(body));
    if (!e.started()) start_rows(e);
    ICL_CO_TRY(co_await e.write(body + "\n"));
    co_return co_await e.finish();
}

Async<> post_pin_rm(Deps deps, Exchange& e, Call call) {
    ICL_CO_TRY(const bool more, co_await complete_args(e, call));
    if (!more) co_return ok();
    auto text = CidWriter::from(call.query);
    if (!text) co_return co_await send_failure(e, text.error());
    std::vector<std::string> out;
    for (const auto& arg : call.args) {
        auto cid = co_await resolve(deps, arg);
        if (!cid) co_return co_await send_failure(e, cid.error());
        auto removed = co_await deps.cluster.unpin(cid.value());
        if (!removed) co_return co_await send_failure(e, not_pinned(removed.error()));
        out.push_back(text.value()(cid.value()));
    }
    co_return co_await send_json(e, pins_body(out));
}

namespace {

Async<std::vector<std::string>> update(Deps deps, Exchange& e, const Call& call) {
    ICL_CO_TRY(const bool unpin, bool_option(call.query, "unpin", true));
    ICL_CO_TRY(const auto text, CidWriter::from(call.query));
    auto from = co_await resolve(deps, call.args[0]);
    if (!from) co_return fail(from.error().in("from-path"));
    auto to = co_await resolve(deps, call.args[1]);
    if (!to) co_return fail(to.error().in("to-path"));
    std::vector<std::string> out{text(from.value()), text(to.value())};
    auto there = deps.cluster.pin_get(from.value());
    if (!there || there.value().max_depth >= 0)
        co_return fail(Kind::not_found, "'from' cid was not recursively pinned already");
    if (from.value() == to.value()) co_return out;
    Pin wish;
    wish.cid = to.value();
    wish.options.pin_update = from.value();
    auto pinned = co_await deps.cluster.pin(std::move(wish));
    if (!pinned) co_return fail(pinned.error());
    // The old content is let go only when the new one is held.
    ProgressLines silent(deps.world, e, false);
    ICL_CO_TRY(co_await wait_until_held(deps, to.value(), silent));
    if (!unpin) co_return out;
    auto removed = co_await deps.cluster.unpin(from.value());
    if (!removed) co_return fail(not_pinned(removed.error()));
    co_return out;
}

}  // namespace

Async<> post_pin_update(Deps deps, Exchange& e, Call call) {
    if (call.args.size() < 2)
        co_return co_await send_failure(e, 400,
                                        std::string("argument \"") +
                                            (call.args.empty() ? "from" : "to") +
                                            "-path\" is required");
    auto pins = co_await update(deps, e, call);
    if (!pins) co_return co_await send_failure(e, pins.error());
    co_return co_await send_json(e, pins_body(pins.value()));
}

}  // namespace ipfscluster::ipfsproxy
