#include "http/pipeline.hpp"

#include "base/encoding.hpp"
#include "base/text.hpp"

namespace ipfscluster::http {

namespace {

constexpr std::string_view kJson = "application/json";

struct Pipeline {
    World& world;
    PipelineConfig config;
    Router router;

    Async<> operator()(Exchange& exchange) const;
    Async<> refuse(Exchange& exchange, int status, std::string_view message) const {
        return exchange.respond(status, kJson, config.error_body(status, message));
    }
};

bool is_dirty(std::string_view path) {
    return path.find("//") != std::string_view::npos ||
           path.find("/./") != std::string_view::npos ||
           path.find("/../") != std::string_view::npos || path.ends_with("/.") ||
           path.ends_with("/..");
}

/// The target with another path and the same query.
std::string with_path(const Request& request, std::string_view path) {
    std::string out(path);
    if (!request.query.empty()) out.append("?").append(request.query);
    return out;
}

std::string escape_path(std::string_view path) {
    std::string out;
    while (!path.empty()) {
        const auto part = path.substr(1, path.find('/', 1) - 1);
        out.append("/").append(url_escape(part));
        path.remove_prefix(1 + part.size());
    }
    return out;
}

Async<> Pipeline::operator()(Exchange& exchange) const {
    auto& request = exchange.request;
    auto verdict = authenticate(config.credentials, config.realm, request, world.system_now());
    if (!verdict.allowed) {
        for (const auto& [name, value] : config.headers) exchange.headers.add(name, value);
        for (const auto& challenge : verdict.challenges)
            exchange.headers.add("WWW-Authenticate", challenge);
        co_return co_await refuse(exchange, 401, verdict.reason);
    }
    request.user = std::move(verdict.user);
    add_cors_fields(config.cors, request, exchange.headers);
    if (is_preflight(request)) co_return co_await exchange.respond_empty(204);

    const auto path = request.path;
    const std::string_view raw =
        std::string_view(request.target).substr(0, request.target.find('?'));
    if (raw.size() > 1 && raw.ends_with('/') && !is_dirty(path)) {
        exchange.headers.add("Location", with_path(request, raw.substr(0, raw.size() - 1)));
        co_return co_await exchange.respond_empty(307);
    }
    if (is_dirty(path)) {
        exchange.headers.add("Location", with_path(request, escape_path(clean_path(path))));
        co_return co_await exchange.respond_empty(301);
    }
    const auto match = router.find(request.method, path);
    if (match.handler != nullptr) {
        for (const auto& [name, value] : config.headers) exchange.headers.add(name, value);
        co_return co_await (*match.handler)(exchange, match.params);
    }
    const bool plain = request.method == Method::get || request.method == Method::post ||
                       request.method == Method::del;
    if (match.path_known && !plain) co_return co_await exchange.respond_empty(405);
    for (const auto& [name, value] : config.headers) exchange.headers.add(name, value);
    co_return co_await refuse(exchange, 404, "not found");
}

}  // namespace

std::string clean_path(std::string_view path) {
    const auto clean = clean_relative_path(path);
    return clean.empty() ? "/" : "/" + clean + (path.ends_with('/') ? "/" : "");
}

Handler make_pipeline(World& world, PipelineConfig config, Router router) {
    auto pipeline =
        std::make_shared<const Pipeline>(Pipeline{world, std::move(config), std::move(router)});
    return [pipeline](Exchange& exchange) { return (*pipeline)(exchange); };
}

}  // namespace ipfscluster::http
