#include "ipfs/rpc/rpc_listener.hpp"

#include <algorithm>

#include "api/content/serve.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "runtime/task_group.hpp"

namespace ipfscluster::ipfs_rpc {
namespace {

using http::Exchange;

constexpr std::string_view kApi = "/api/v0/";
constexpr std::string_view kGateway = "/ipfs/";
constexpr std::string_view kPlain = "text/plain; charset=utf-8";
constexpr std::string_view kNotFound = "404 page not found\n";

bool loopback(const Multiaddr& address) {
    const auto text = address.to_string();
    return text.starts_with("/ip4/127.") || text.starts_with("/ip6/::1/") ||
           text.starts_with("/unix/");
}

Async<> send_plain(Exchange& e, int status, std::string text) {
    e.headers.add("X-Content-Type-Options", "nosniff");
    co_return co_await e.respond(status, kPlain, std::move(text));
}

/// Scheme and authority of a URL; empty when it has none.
std::string origin_of(std::string_view url) {
    const auto scheme = url.find("://");
    if (scheme == std::string_view::npos) return {};
    return std::string(url.substr(0, url.find('/', scheme + 3)));
}

/// The part of a `/ip4/…/tcp/PORT` that browsers show behind the colon.
std::string port_of(const Multiaddr& address) {
    const auto text = address.to_string();
    const auto at = text.find("/tcp/");
    if (at == std::string::npos) return {};
    const auto rest = text.substr(at + 5);
    return rest.substr(0, rest.find('/'));
}

bool is_refused_call(std::string_view name) {
    return contains(refused_calls(), name);
}

Async<> no_such_call(std::string name) {
    co_return fail(Kind::unsupported,
                   "this node does not have the command \"" + name + "\"; see docs/kubo-rpc.md");
}

}  // namespace

RpcListener::RpcListener(node::EmbeddedNode& node, RpcListenerConfig config)
    : node_(node), config_(std::move(config)) {
    cors_.allowed_origins.clear();
    cors_.allowed_methods = {"POST"};
    cors_.allowed_headers = {"Origin", "Accept", "Content-Type", "X-Requested-With"};
    cors_.exposed_headers.clear();  // every answer names them itself
    cors_.allow_credentials = false;
}

RpcListener::~RpcListener() = default;

Async<> RpcListener::start() {
    for (const auto& address : config_.server.listen)
        if (!config_.allow_non_loopback && !loopback(address))
            co_return fail(Kind::invalid, "the node's listener answers on loopback only, not on " +
                                              address.to_string());
    http::Handler handler = [this](Exchange& exchange) { return handle(exchange); };
    server_ = std::make_unique<http::Server>(node_.world(), config_.server, std::move(handler));
    ICL_CO_TRY(co_await server_->start());
    allow_own_origins();
    co_return ok();
}

Async<> RpcListener::stop(Duration drain) {
    if (!server_) co_return ok();
    co_return co_await server_->stop(drain);
}

std::vector<Multiaddr> RpcListener::addresses() const {
    return server_ ? server_->addresses() : std::vector<Multiaddr>{};
}

void RpcListener::allow_own_origins() {
    for (const auto& address : server_->addresses()) {
        const auto port = port_of(address);
        if (port.empty()) continue;
        for (const std::string scheme : {"http://", "https://"})
            for (const std::string host : {"127.0.0.1:", "[::1]:", "localhost:"})
                cors_.allowed_origins.push_back(scheme + host + port);
    }
}

bool RpcListener::allowed(const http::Request& request) const {
    const auto known = [&](std::string_view origin) {
        return contains(cors_.allowed_origins, origin);
    };
    const auto origin = request.headers.get("Origin");
    const auto referer = request.headers.get("Referer");
    if (!origin.empty() && !known(origin)) return false;
    if (!referer.empty() && !known(origin_of(referer))) return false;
    if (!origin.empty() || !referer.empty()) return true;
    // A browser that names no page: only programs like Electron do that on purpose.
    const auto agent = request.headers.get("User-Agent");
    return agent.find("Electron") != std::string_view::npos || !agent.starts_with("Mozilla");
}

Async<> RpcListener::handle(Exchange& e) {
    if (e.request.path.starts_with(kApi)) co_return co_await handle_api(e);
    if (!e.request.path.starts_with(kGateway))
        co_return co_await send_plain(e, 404, std::string(kNotFound));
    const bool reads =
        e.request.method == http::Method::get || e.request.method == http::Method::head;
    if (!reads) {
        e.headers.add("Allow", "GET, HEAD");
        co_return co_await send_plain(e, 405, "only GET and HEAD\n");
    }
    // The path has its escapes decoded already.
    co_return co_await content::serve(node_, e, std::string(e.request.path), send_failure);
}

Async<> RpcListener::handle_api(Exchange& e) {
    http::add_cors_fields(cors_, e.request, e.headers);
    if (http::is_preflight(e.request)) co_return co_await e.respond_empty(204);
    if (e.request.method != http::Method::post) {
        e.headers.add("Allow", "OPTIONS, POST");
        if (e.request.method == http::Method::options) co_return co_await e.respond_empty(204);
        co_return co_await send_plain(e, 405, "405 - Method Not Allowed\n");
    }
    if (!allowed(e.request)) co_return co_await send_plain(e, 403, "403 - Forbidden\n");

    std::string name(e.request.path.substr(kApi.size()));
    while (name.ends_with('/')) name.pop_back();
    const auto* route = find_route(name);
    if (route == nullptr && !is_refused_call(name))
        co_return co_await send_plain(e, 404, std::string(kNotFound));
    static const Route kNone{"", {}, {}, nullptr};
    Call call(Deps{node_, config_.repo_path}, e, route ? *route : kNone);
    if (route == nullptr) {
        auto refused = co_await no_such_call(std::move(name));
        co_return co_await call.end(std::move(refused));
    }
    auto parsed = co_await call.parse();
    if (!parsed && parsed.error().kind == Kind::unsupported)
        co_return co_await call.end(std::move(parsed));
    if (!parsed) co_return co_await send_plain(e, 400, parsed.error().text + "\n");

    Result<> done = ok();
    if (const auto limit = call.limit()) {
        done = co_await with_deadline(node_.world(), *limit, "call", route->handler(call));
        if (!done && done.error().kind == Kind::timeout)
            done = fail(Kind::timeout, "context deadline exceeded");
    } else {
        done = co_await route->handler(call);
    }
    co_return co_await call.end(std::move(done));
}

}  // namespace ipfscluster::ipfs_rpc
