#include "api/content/serve.hpp"
#include "api/rest/handlers.hpp"
#include "api/rest/replies.hpp"
#include "api/rest/request.hpp"
#include "http/jwt.hpp"

namespace ipfscluster::rest {

Async<> get_id(Deps deps, Exchange& e) {
    auto id = co_await deps.cluster.id();
    co_return co_await send_result(e, std::move(id));
}

Async<> get_version(Deps deps, Exchange& e) {
    return send_json(e, codec::Version{deps.cluster.version()});
}

Async<> get_health(Deps deps, Exchange& e) {
    auto hindrance = deps.cluster.hindrance();
    if (!hindrance.empty()) return send_error(e, 503, std::move(hindrance));
    return send_nothing(e);
}

Async<> get_graph(Deps deps, Exchange& e) {
    auto graph = co_await deps.cluster.connect_graph();
    co_return co_await send_result(e, std::move(graph));
}

Async<> get_alerts(Deps deps, Exchange& e) {
    return send_json(e, deps.cluster.alerts());
}

Async<> get_bandwidth(Deps deps, Exchange& e) {
    codec::BandwidthByProtocol totals;
    for (const auto& [protocol, bytes] : deps.cluster.bandwidth()) {
        auto& entry = totals[protocol];
        entry.total_in = static_cast<std::int64_t>(bytes.first);
        entry.total_out = static_cast<std::int64_t>(bytes.second);
    }
    return send_json(e, totals);
}

Async<> get_metric_names(Deps deps, Exchange& e) {
    return send_json(e, deps.cluster.metric_names());
}

Async<> get_metrics(Deps deps, Exchange& e, std::string name) {
    return send_json(e, deps.cluster.metrics(std::move(name)));
}

Async<> post_token(Deps deps, Exchange& e) {
    const auto found = deps.credentials.find(e.request.user);
    if (found == deps.credentials.end())
        return send_error(e, 401, "unauthorized: tokens need authentication, which is off");
    const auto token = http::issue_jwt(found->first, found->second);
    Bytes body = "{\"token\":\"" + token + "\"}\n";
    return e.respond(200, kJson, std::move(body));
}

Async<> post_gc(Deps deps, Exchange& e) {
    auto query = query_of(e);
    if (!query) co_return co_await send_bad_request(e, query.error());
    if (!is_true(query.value(), "local")) {
        auto all = co_await deps.cluster.repo_gc();
        co_return co_await send_result(e, std::move(all));
    }
    auto ours = co_await deps.cluster.repo_gc_local();
    if (!ours) co_return co_await send_error(e, ours.error());
    // With keys in it, it says in its `error` that it broke off.
    if (!ours.value().error.empty() && ours.value().keys.empty())
        co_return co_await send_error(e, Error{Kind::internal, ours.value().error});
    GlobalRepoGc all;
    const PeerId peer = ours.value().peer;
    all.peer_map.emplace(peer, std::move(ours.value()));
    co_return co_await send_json(e, all);
}

Async<> get_content(Deps deps, Exchange& e, std::string path) {
    auto root = cid_of(std::string_view(path).substr(0, path.find('/')));
    if (!root) return send_bad_request(e, root.error());
    return content::serve(deps.cluster.ipfs(), e, "/ipfs/" + path, send_error);
}

}  // namespace ipfscluster::rest
