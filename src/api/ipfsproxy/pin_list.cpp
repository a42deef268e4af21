// pin/ls.
#include "api/ipfsproxy/handlers.hpp"
#include "api/ipfsproxy/held_pins.hpp"
#include "api/ipfsproxy/pin_judge.hpp"
#include "api/ipfsproxy/replies.hpp"

namespace ipfscluster::ipfsproxy {

namespace {

struct ListOptions {
    bool recursive = true, direct = true;  ///< types asked for
    bool stream = false;
    bool names = false;
    std::string name_part;  ///< only pins whose name holds it
    CidWriter text;
};

Result<ListOptions> list_options(const codec::Query& query) {
    ListOptions out;
    const auto type = find_option(query, "type").value_or("all");
    if (type != "all" && type != "recursive" && type != "direct" && type != "indirect")
        return fail(Kind::invalid, "invalid type '" + std::string(type) +
                                       "', must be one of {direct, indirect, recursive, all}");
    out.recursive = type == "all" || type == "recursive";
    out.direct = type == "all" || type == "direct";
    ICL_TRY(const bool short_form, bool_option(query, "s", false));
    ICL_TRY(out.stream, bool_option(query, "stream", short_form));
    ICL_TRY(out.names, bool_option(query, "names", false));
    out.name_part = find_option(query, "name").value_or("");
    out.names = out.names || !out.name_part.empty();
    ICL_TRY(out.text, CidWriter::from(query));
    return out;
}

/// Parts of sharded content go as deep as somebody needs them; to users they are recursive.
std::string_view type_of(const Pin& pin) {
    return pin.type == PinType::data && pin.max_depth == kDepthDirect ? "direct" : "recursive";
}

bool asked_for(const ListOptions& o, const Pin& pin) {
    return type_of(pin) == "direct" ? o.direct : o.recursive;
}

std::string row_of(const ListOptions& o, const Pin& pin) {
    const std::string name = o.names ? pin.options.name : std::string();
    std::string row;
    if (!o.stream) {
        codec::append_json(row, o.text(pin.cid));
        row += ":{\"Type\":\"" + std::string(type_of(pin)) + "\",\"Name\":";
        codec::append_json(row, name);
        return row + "}";
    }
    row = "{\"Cid\":";
    codec::append_json(row, o.text(pin.cid));
    if (!name.empty()) {
        row += ",\"Name\":";
        codec::append_json(row, name);
    }
    return row + ",\"Type\":\"" + std::string(type_of(pin)) + "\"}\n";
}

/// The pins of the arguments. One that the peers do not hold, though it is in the pinset, is not
/// pinned: so Kubo says of one that it still fetches.
Async<std::vector<Pin>> look_up(Deps deps, const Call& call, const ListOptions& o) {
    std::vector<Pin> pins;
    for (const auto& arg : call.args) {
        ICL_CO_TRY(auto path, parse_content_path(arg));
        if (!path.cid) {
            ICL_CO_TRY(path.cid, co_await deps.cluster.ipfs().resolve(path.text));
        }
        auto pin = deps.cluster.pin_get(*path.cid);
        if (!pin && pin.error().kind != Kind::not_found) co_return fail(pin.error());
        bool held = pin && asked_for(o, pin.value());
        if (held) {
            ICL_CO_TRY(auto status, co_await deps.cluster.status(*path.cid));
            held = judge_pin(pin.value(), status).maybe_held;
        }
        // Clusters stacked on this proxy look for the end of this text.
        if (!held) co_return fail(Kind::not_found, "path '" + arg + "' is not pinned");
        pins.push_back(std::move(pin.value()));
    }
    co_return pins;
}

/// All that the peers hold, row by row; with one row in hand before success is claimed.
Async<> send_all(Deps deps, Exchange& e, const ListOptions& o) {
    HeldPins held(deps.cluster.pins(static_cast<std::uint32_t>(PinType::all)),
                  deps.cluster.status_all(0));
    bool any = false;
    while (true) {
        auto pin = co_await held.next();
        if (!pin && !e.started()) co_return co_await send_failure(e, pin.error());
        if (!pin && o.stream) co_return co_await end_rows(e, fail(pin.error()));
        // Half an object is no list: cut, so that nobody takes it for one.
        if (!pin) co_return fail(pin.error());
        if (!e.started() && o.stream) start_rows(e);
        if (!e.started()) {
            e.start(200, kJson);
            ICL_CO_TRY(co_await e.write("{\"Keys\":{"));
        }
        if (!pin.value()) break;
        const auto& options = pin.value()->options;
        if (!asked_for(o, *pin.value())) continue;
        if (options.name.find(o.name_part) == std::string::npos) continue;
        std::string row = any && !o.stream ? "," : "";
        row += row_of(o, *pin.value());
        any = true;
        ICL_CO_TRY(co_await e.write(std::move(row)));
    }
    if (!o.stream) {
        ICL_CO_TRY(co_await e.write("}}\n"));
    }
    co_return co_await e.finish();
}

}  // namespace

Async<> post_pin_ls(Deps deps, Exchange& e, Call call) {
    auto parsed = list_options(call.query);
    if (!parsed) co_return co_await send_failure(e, parsed.error());
    const auto& o = parsed.value();
    if (call.args.empty()) co_return co_await send_all(deps, e, o);
    auto pins = co_await look_up(deps, call, o);
    if (!pins) co_return co_await send_failure(e, pins.error());
    std::string body;
    for (const auto& pin : pins.value()) {
        if (!o.stream && !body.empty()) body += ",";
        body += row_of(o, pin);
    }
    if (!o.stream) co_return co_await send_json(e, "{\"Keys\":{" + body + "}}");
    start_rows(e);
    ICL_CO_TRY(co_await e.write(std::move(body)));
    co_return co_await e.finish();
}

}  // namespace ipfscluster::ipfsproxy
