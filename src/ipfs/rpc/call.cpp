#include "ipfs/rpc/call.hpp"

#include <algorithm>
#include <charconv>

#include "base/log.hpp"
#include "http/header_params.hpp"

namespace ipfscluster::ipfs_rpc {
namespace {

using codec::append_json;

constexpr std::string_view kStreamError = "X-Stream-Error";
constexpr std::string_view kExposed = "X-Stream-Output, X-Chunked-Output, X-Content-Length";
constexpr std::string_view kJson = "application/json";

std::optional<bool> parse_flag(std::string_view text) {
    std::string lower(text);
    for (auto& c : lower)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    if (lower.empty() || lower == "1" || lower == "t" || lower == "true") return true;
    if (lower == "0" || lower == "f" || lower == "false") return false;
    return std::nullopt;
}

std::optional<std::int64_t> parse_number(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

bool is_name(const Option& option, std::string_view name) {
    return option.name == name || (name.size() == 1 && option.alias == name[0]);
}

std::string_view type_name(OptionType type) {
    return type == OptionType::flag ? "bool" : type == OptionType::number ? "int64" : "string";
}

}  // namespace

Call::Call(const Deps& deps, http::Exchange& exchange, const Route& route)
    : deps_(deps), exchange_(exchange), route_(route) {}

Result<> Call::read_option(const std::string& name, const std::string& value) {
    const Option* found = nullptr;
    for (const auto& option : common_options())
        if (is_name(option, name)) found = &option;
    for (const auto& option : route_.options)
        if (is_name(option, name)) found = &option;
    if (found == nullptr) return ok();  // as Kubo: not known, not looked at
    if (options_.contains(found->name))
        return fail(Kind::invalid,
                    "expected key " + std::string(found->name) + " to have only a single value");
    const bool readable = found->type == OptionType::flag     ? parse_flag(value).has_value()
                          : found->type == OptionType::number ? parse_number(value).has_value()
                                                              : true;
    if (!readable)
        return fail(Kind::invalid, "could not convert value \"" + value + "\" to type \"" +
                                       std::string(type_name(found->type)) + "\" (for option \"-" +
                                       std::string(found->name) + "\")");
    options_.emplace(found->name, value);
    if (found->use != OptionUse::refused) return ok();
    const bool at_default =
        found->type == OptionType::flag
            ? *parse_flag(value) == (found->fallback == "true")
            : value == found->fallback || (found->type == OptionType::text && value.empty());
    if (at_default) return ok();
    return fail(Kind::unsupported, "this node does not have the option \"" +
                                       std::string(found->name) + "\" of " +
                                       std::string(route_.name));
}

Result<> Call::read_query() {
    ICL_TRY(const auto query, codec::parse_query(exchange_.request.query));
    for (const auto& [name, value] : query) {
        if (name == "arg") {
            if (arguments_.size() == kArgumentsMax)
                return fail(Kind::invalid, "too many arguments");
            arguments_.push_back(value);
            continue;
        }
        ICL_TRY(read_option(name, value));
    }
    const auto encoding = text("encoding");
    if (!encoding.empty() && encoding != "json")
        return fail(Kind::invalid,
                    "invalid encoding: " + std::string(encoding) + " (this node answers in JSON)");
    if (const auto limit = text("timeout"); !limit.empty()) {
        ICL_TRY(const auto parsed, parse_go_duration(limit));
        limit_ = parsed;
    }
    std::optional<bool> upgrade;
    if (has("upgrade-cidv0-in-output")) upgrade = flag("upgrade-cidv0-in-output");
    ICL_TRY(cid_text_, CidText::make(text("cid-base"), upgrade));
    return ok();
}

Result<> Call::check_arguments(bool more_in_body) const {
    std::size_t required = 0, most = 0;
    for (const auto& argument : route_.arguments) {
        if (argument.file) continue;
        if (argument.several) most = kArgumentsMax;
        ++most;
        if (!argument.required) continue;
        ++required;
        const bool in_body = argument.stdin_ && more_in_body;
        if (arguments_.size() < required && !in_body)
            return fail(Kind::invalid,
                        "argument \"" + std::string(argument.name) + "\" is required");
    }
    if (arguments_.size() > most)
        return fail(Kind::invalid, "expected " + std::to_string(most) + " argument(s), got " +
                                       std::to_string(arguments_.size()));
    return ok();
}

Result<> Call::open_parts() {
    ICL_TRY(auto boundary, http::multipart_boundary(exchange_.request.headers.get("Content-Type")));
    auto* from = &exchange_;
    parts_.emplace(std::move(boundary), [from] { return from->read_body(); });
    return ok();
}

Async<> Call::parse() {
    ICL_CO_TRY(read_query());
    const auto type = http::parse_header_params(exchange_.request.headers.get("Content-Type"));
    const bool multipart = type && type.value().value == "multipart/form-data";
    const bool takes_file = std::any_of(route_.arguments.begin(), route_.arguments.end(),
                                        [](const Argument& argument) { return argument.file; });
    if (takes_file) {
        if (!multipart)
            co_return fail(
                Kind::invalid,
                "file argument '" + std::string(route_.arguments.back().name) + "' is required");
        // `add` reads its body itself.
        if (route_.name != "add") {
            ICL_CO_TRY(open_parts());
        }
        co_return check_arguments(false);
    }
    const bool in_body = multipart && !route_.arguments.empty() && route_.arguments.back().stdin_;
    ICL_CO_TRY(check_arguments(in_body));
    if (!in_body) co_return ok();
    ICL_CO_TRY(open_parts());
    ICL_CO_TRY(co_await read_body_arguments());
    co_return check_arguments(false);
}

Async<> Call::read_body_arguments() {
    ICL_CO_TRY(const bool any, co_await next_file());
    if (!any) co_return ok();
    ICL_CO_TRY(const auto lines, co_await read_whole_file(kBodyArgumentBytesMax));
    std::string_view rest = lines;
    while (!rest.empty()) {
        const auto end = std::min(rest.find('\n'), rest.size());
        auto line = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.empty()) continue;
        if (arguments_.size() == kArgumentsMax) co_return fail(Kind::invalid, "too many arguments");
        arguments_.emplace_back(line);
    }
    co_return ok();
}

bool Call::flag(std::string_view option) const {
    if (const auto it = options_.find(option); it != options_.end()) return *parse_flag(it->second);
    return text(option) == "true";
}

std::int64_t Call::number(std::string_view option) const {
    return parse_number(text(option)).value_or(0);
}

std::string_view Call::text(std::string_view option) const {
    if (const auto it = options_.find(option); it != options_.end()) return it->second;
    for (const auto& known : route_.options)
        if (known.name == option) return known.fallback;
    return {};
}

node::NodeBlocks& Call::blocks() {
    if (!blocks_) blocks_ = deps_.node.reader(offline());
    return *blocks_;
}

Async<bool> Call::next_file() {
    ICL_CO_TRY(const auto fields, co_await parts_->next_part());
    if (!fields) co_return false;
    const auto type = http::parse_header_params(fields->get("Content-Type"));
    if (type && (type.value().value == "application/x-directory" ||
                 type.value().value == "application/symlink"))
        co_return fail(Kind::invalid, "expected a file");
    co_return true;
}

Async<Bytes> Call::read_whole_file(std::size_t limit) {
    Bytes whole;
    while (true) {
        ICL_CO_TRY(const auto piece, co_await parts_->read());
        if (piece.empty()) co_return whole;
        if (whole.size() + piece.size() > limit)
            co_return fail(Kind::invalid,
                           "the input is larger than " + std::to_string(limit) + " bytes");
        whole += piece;
    }
}

void Call::add_common_fields() {
    exchange_.headers.add("Access-Control-Allow-Headers", kExposed);
    exchange_.headers.set("Access-Control-Expose-Headers", kExposed);
    exchange_.headers.add("Server", "kubo/" + std::string(kKuboVersion));
    exchange_.headers.add("Trailer", kStreamError);
}

Async<> Call::emit(std::string json) {
    if (!exchange_.started()) {
        add_common_fields();
        exchange_.headers.add("X-Chunked-Output", "1");
        exchange_.start(200, kJson);
    }
    json += '\n';
    co_return co_await exchange_.write(std::move(json));
}

Async<> Call::emit_once(std::string json) {
    ICL_CO_TRY(co_await begin_document());
    json += '\n';
    co_return co_await exchange_.write(std::move(json));
}

Async<> Call::begin_document() {
    add_common_fields();
    exchange_.start(200, kJson);
    co_return ok();
}

Async<> Call::begin_bytes(std::string_view content_type, std::optional<std::uint64_t> length) {
    add_common_fields();
    if (length) exchange_.headers.add("X-Content-Length", std::to_string(*length));
    exchange_.headers.add("X-Stream-Output", "1");
    exchange_.start(200, content_type);
    co_return ok();
}

Async<> Call::end(Result<> done) {
    if (!done && done.error().kind == Kind::cancelled) co_return done;
    if (exchange_.finished()) co_return done;
    if (exchange_.started()) {
        if (!done) exchange_.add_trailer(kStreamError, done.error().text);
        co_return co_await exchange_.finish();
    }
    if (done) {
        add_common_fields();
        exchange_.headers.add("X-Chunked-Output", "1");
        exchange_.start(200, kJson);
        co_return co_await exchange_.finish();
    }
    add_common_fields();
    exchange_.headers.remove("Trailer");
    co_return co_await send_failure(exchange_, 500, done.error().text);
}

Async<> send_failure(http::Exchange& exchange, int status, std::string message) {
    std::string body = "{\"Message\":";
    codec::append_json(body, message);
    body += ",\"Code\":0,\"Type\":\"error\"}\n";
    return exchange.respond(status, kJson, std::move(body));
}

}  // namespace ipfscluster::ipfs_rpc
