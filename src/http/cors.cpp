#include "http/cors.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace ipfscluster::http {

namespace {

bool origin_matches(std::string_view rule, std::string_view origin) {
    const auto star = rule.find('*');
    if (star == std::string_view::npos) return equals_nocase(rule, origin);
    const auto head = rule.substr(0, star), tail = rule.substr(star + 1);
    return origin.size() >= head.size() + tail.size() &&
           equals_nocase(origin.substr(0, head.size()), head) &&
           equals_nocase(origin.substr(origin.size() - tail.size()), tail);
}

bool all_origins(const CorsConfig& config) {
    return contains(config.allowed_origins, "*");
}

bool origin_allowed(const CorsConfig& config, std::string_view origin) {
    return std::any_of(config.allowed_origins.begin(), config.allowed_origins.end(),
                       [&](const auto& rule) { return origin_matches(rule, origin); });
}

bool method_allowed(const CorsConfig& config, std::string_view method) {
    if (equals_nocase(method, "OPTIONS")) return true;
    return std::any_of(config.allowed_methods.begin(), config.allowed_methods.end(),
                       [&](const auto& allowed) { return equals_nocase(allowed, method); });
}

bool header_allowed(const CorsConfig& config, std::string_view name) {
    static const std::vector<std::string> kUsual{"accept", "content-type", "x-requested-with"};
    if (equals_nocase(name, "origin")) return true;
    const auto& allowed = config.allowed_headers.empty() ? kUsual : config.allowed_headers;
    return std::any_of(allowed.begin(), allowed.end(),
                       [&](const auto& rule) { return rule == "*" || equals_nocase(rule, name); });
}

bool headers_allowed(const CorsConfig& config, std::string_view list) {
    const auto names = split_words(list);
    return std::all_of(names.begin(), names.end(),
                       [&](std::string_view name) { return header_allowed(config, name); });
}

void add_preflight_fields(const CorsConfig& config, const Request& request, Headers& fields) {
    fields.add("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
    const auto origin = request.headers.get("Origin");
    const auto method = request.headers.get("Access-Control-Request-Method");
    const auto wanted = request.headers.get("Access-Control-Request-Headers");
    if (origin.empty() || !origin_allowed(config, origin) || !method_allowed(config, method) ||
        !headers_allowed(config, wanted))
        return;
    fields.add("Access-Control-Allow-Origin", all_origins(config) ? "*" : origin);
    fields.add("Access-Control-Allow-Methods", method);
    if (!wanted.empty()) fields.add("Access-Control-Allow-Headers", wanted);
    if (config.allow_credentials) fields.add("Access-Control-Allow-Credentials", "true");
    const auto age = std::chrono::duration_cast<std::chrono::seconds>(config.max_age).count();
    if (age > 0) fields.add("Access-Control-Max-Age", std::to_string(age));
}

}  // namespace

bool is_preflight(const Request& request) {
    return request.method == Method::options &&
           request.headers.has("Access-Control-Request-Method");
}

void add_cors_fields(const CorsConfig& config, const Request& request, Headers& fields) {
    if (is_preflight(request)) return add_preflight_fields(config, request, fields);
    fields.add("Vary", "Origin");
    const auto origin = request.headers.get("Origin");
    if (origin.empty() || !origin_allowed(config, origin) ||
        !method_allowed(config, method_name(request.method)))
        return;
    fields.add("Access-Control-Allow-Origin", all_origins(config) ? "*" : origin);
    if (!config.exposed_headers.empty()) {
        std::string list;
        for (const auto& name : config.exposed_headers) list += (list.empty() ? "" : ", ") + name;
        fields.add("Access-Control-Expose-Headers", list);
    }
    if (config.allow_credentials) fields.add("Access-Control-Allow-Credentials", "true");
}

}  // namespace ipfscluster::http
