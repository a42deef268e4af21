#include "api/ipfsproxy/call.hpp"

#include <array>

#include "base/encoding.hpp"
#include "base/text.hpp"
#include "multi/multibase.hpp"

namespace ipfscluster::ipfsproxy {

namespace {

constexpr std::string_view kApi = "/api/v0/";

struct Route {
    std::string_view name;
    Op op;
    bool arg_in_path;  ///< one more segment is the argument
};
constexpr std::array kRoutes = {
    Route{"pin/add", Op::pin_add, true},  Route{"pin/rm", Op::pin_rm, true},
    Route{"pin/ls", Op::pin_ls, true},    Route{"pin/update", Op::pin_update, false},
    Route{"add", Op::add, false},         Route{"repo/stat", Op::repo_stat, false},
    Route{"repo/gc", Op::repo_gc, false}, Route{"block/put", Op::block_put, false},
    Route{"dag/put", Op::dag_put, false},
};

/// The route of a path and, where it has one, the argument in it.
std::pair<const Route*, std::string_view> find_route(std::string_view path) {
    if (!path.starts_with(kApi)) return {nullptr, {}};
    path.remove_prefix(kApi.size());
    for (const auto& route : kRoutes) {
        if (!path.starts_with(route.name)) continue;
        auto rest = path.substr(route.name.size());
        if (rest.empty()) return {&route, {}};
        if (!route.arg_in_path || rest[0] != '/') continue;
        rest.remove_prefix(1);
        if (!rest.empty() && rest.find('/') == std::string_view::npos) return {&route, rest};
    }
    return {nullptr, {}};
}

bool may_intercept(http::Method method) {
    return method == http::Method::post || method == http::Method::get ||
           method == http::Method::put;
}

}  // namespace

std::optional<std::string_view> find_option(const codec::Query& query, std::string_view name) {
    for (const auto& [key, value] : query)
        if (key == name) return value;
    return std::nullopt;
}

Result<bool> bool_option(const codec::Query& query, std::string_view name, bool fallback) {
    const auto text = find_option(query, name);
    if (!text) return fallback;
    if (text->empty()) return true;
    if (const auto value = parse_go_bool(*text)) return *value;
    return fail(Kind::invalid, "option \"" + std::string(name) + "\": \"" + std::string(*text) +
                                   "\" is not a boolean");
}

Result<Call> parse_call(http::Method method, std::string_view path, std::string_view query) {
    Call call;
    const auto [route, arg] = find_route(path);
    if (route == nullptr || !may_intercept(method)) return call;
    auto parsed = codec::parse_query(query);
    if (!parsed) return fail(parsed.error().in("query"));
    if (route->op == Op::add) {
        ICL_TRY(const bool only_hash, bool_option(parsed.value(), "only-hash", false));
        if (only_hash) return call;
    } else if (route->op == Op::block_put || route->op == Op::dag_put) {
        ICL_TRY(const bool pin, bool_option(parsed.value(), "pin", false));
        if (!pin) return call;
    }
    call.op = route->op;
    if (!arg.empty()) {
        call.args.emplace_back(arg);
    } else {
        for (const auto& [name, value] : parsed.value())
            if (name == "arg" && !value.empty()) call.args.push_back(value);
    }
    call.query = std::move(parsed.value());
    return call;
}

std::string target_without_pin(std::string_view target) {
    const auto mark = target.find('?');
    std::string out(target.substr(0, mark));
    out += "?pin=false";
    if (mark == std::string_view::npos) return out;
    for (auto rest = target.substr(mark + 1); !rest.empty();) {
        const auto part = rest.substr(0, rest.find('&'));
        rest.remove_prefix(std::min(part.size() + 1, rest.size()));
        const std::string raw(part.substr(0, part.find('=')));
        const auto name = url_unescape(raw, true);
        if (part.empty() || (name ? name.value() : raw) == "pin") continue;
        out.append("&").append(part);
    }
    return out;
}

Result<ContentPath> parse_content_path(std::string_view text) {
    const auto bad = [&](std::string_view why) {
        return fail(Kind::invalid,
                    "invalid path \"" + std::string(text) + "\": " + std::string(why));
    };
    ContentPath out;
    out.text = text.starts_with('/') ? std::string(text) : "/ipfs/" + std::string(text);
    if (text.empty()) return bad("path does not have enough components");
    std::string_view rest = out.text;
    const auto space = rest.substr(0, rest.find('/', 1));
    if (space != "/ipfs" && space != "/ipns" && space != "/ipld") return bad("unknown namespace");
    rest.remove_prefix(space.size());
    while (rest.starts_with('/')) rest.remove_prefix(1);
    const auto root = rest.substr(0, rest.find('/'));
    if (root.empty()) return bad("path does not have enough components");
    if (space == "/ipns") return out;
    auto cid = Cid::parse(root);
    if (!cid) return bad("invalid cid: " + cid.error().text);
    rest.remove_prefix(root.size());
    while (rest.starts_with('/')) rest.remove_prefix(1);
    if (rest.empty()) out.cid = std::move(cid.value());
    return out;
}

Result<CidWriter> CidWriter::from(const codec::Query& query) {
    CidWriter out;
    const auto base = find_option(query, "cid-base").value_or("");
    if (base == "base16")
        out.base_ = Base::base16;
    else if (base == "base32")
        out.base_ = Base::base32;
    else if (base == "base58btc")
        out.base_ = Base::base58;
    else if (!base.empty())
        return fail(Kind::invalid,
                    "cid-base: the proxy writes base16, base32 and base58btc, not \"" +
                        std::string(base) + "\"");
    // Version 0 is base58btc and nothing else.
    const bool other = out.base_ == Base::base16 || out.base_ == Base::base32;
    ICL_TRY(out.upgrade_, bool_option(query, "upgrade-cidv0-in-output", other));
    return out;
}

std::string CidWriter::operator()(const Cid& cid) const {
    if (!cid.defined()) return {};
    const Cid shown =
        upgrade_ && cid.version() == 0 ? Cid::v1(Codec::dag_pb, cid.multihash()) : cid;
    if (shown.version() == 0) return shown.to_string();
    if (base_ == Base::base16) return "f" + hex_encode(shown.bytes());
    if (base_ == Base::base58) return "z" + base58_encode(shown.bytes());
    return shown.to_string();
}

}  // namespace ipfscluster::ipfsproxy
