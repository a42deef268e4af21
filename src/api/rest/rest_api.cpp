#include "api/rest/rest_api.hpp"

#include <algorithm>

#include "api/rest/handlers.hpp"
#include "api/rest/replies.hpp"
#include "http/pipeline.hpp"

namespace ipfscluster::rest {

namespace {

using http::Method;

using Plain = Async<> (*)(Deps, Exchange&);
using WithText = Async<> (*)(Deps, Exchange&, std::string);

/// Registers handlers that share the dependencies.
class Routes {
 public:
    explicit Routes(std::shared_ptr<const RestDeps> deps) : deps_(std::move(deps)) {}

    void add(Method method, std::string_view pattern, Plain handler) {
        router.add(method, pattern,
                   [deps = deps_, handler](Exchange& e, PathParams) { return handler(*deps, e); });
    }
    /// The handler gets the parameter `name`.
    void add(Method method, std::string_view pattern, std::string_view name, WithText handler) {
        router.add(method, pattern, [deps = deps_, handler, name](Exchange& e, PathParams params) {
            return handler(*deps, e, std::string(params.get(name)));
        });
    }
    /// The handler gets the path from its namespace on, without a trailing slash.
    void add_content_path(Method method, std::string_view prefix, std::string_view space,
                          WithText handler) {
        router.add(method, std::string(prefix) + std::string(space) + "/{path...}",
                   [deps = deps_, handler, space](Exchange& e, PathParams params) {
                       std::string path =
                           std::string(space) + "/" + std::string(params.get("path"));
                       return handler(*deps, e, std::move(path));
                   });
    }
    http::Router router;

 private:
    std::shared_ptr<const RestDeps> deps_;
};

http::PipelineConfig pipeline_config(const config::RestConfig& config) {
    http::PipelineConfig out;
    for (const auto& [user, password] : config.basic_auth_credentials)
        out.credentials.emplace(user, password);
    out.cors.allowed_origins = config.cors_allowed_origins;
    out.cors.allowed_methods = config.cors_allowed_methods;
    out.cors.allowed_headers = config.cors_allowed_headers;
    out.cors.exposed_headers = config.cors_exposed_headers;
    out.cors.allow_credentials = config.cors_allow_credentials;
    out.cors.max_age = config.cors_max_age;
    for (const auto& [name, values] : config.headers)
        for (const auto& value : values) out.headers.emplace_back(name, value);
    out.error_body = error_body;
    return out;
}

http::ServerConfig server_config(const config::RestConfig& config,
                                 std::function<void(std::string_view)> access_log) {
    http::ServerConfig out;
    out.name = "restapi";
    out.listen = config.http_listen_multiaddress;
    out.tls_cert_file = config.ssl_cert_file;
    out.tls_key_file = config.ssl_key_file;
    // As Go counts: the configured value, at least 4096, and 4096 more for the request line.
    out.header_bytes_max =
        static_cast<std::size_t>(std::max<std::int64_t>(config.max_header_bytes, 4096)) + 4096;
    out.header_timeout = config.read_header_timeout;
    out.read_timeout = config.read_timeout;
    out.write_timeout = config.write_timeout;
    out.idle_timeout = config.idle_timeout;
    out.access_log = std::move(access_log);
    return out;
}

http::Handler make_handler(World& world, component::ClusterApi& cluster,
                           const config::RestConfig& config) {
    auto pipeline = pipeline_config(config);
    auto deps = std::make_shared<const RestDeps>(RestDeps{world, cluster, pipeline.credentials});
    return http::make_pipeline(world, std::move(pipeline), make_rest_router(std::move(deps)));
}

}  // namespace

http::Router make_rest_router(std::shared_ptr<const RestDeps> deps) {
    Routes r(std::move(deps));
    // The most frequent reads first. Where two patterns fit one path, the order is Go's.
    r.add(Method::get, "/allocations/{cid}", "cid", get_allocation);
    r.add(Method::get, "/pins/{cid}", "cid", get_status);
    r.add(Method::get, "/pins", get_statuses);
    r.add(Method::get, "/allocations", get_allocations);
    r.add(Method::post, "/pins/recover", post_recover_all);
    r.add(Method::post, "/pins/sync", post_sync_all);
    r.add(Method::post, "/pins/{cid}", "cid", post_pin);
    r.add(Method::post, "/pins/{cid}/recover", "cid", post_recover);
    r.add(Method::post, "/pins/{cid}/sync", "cid", post_sync);
    r.add(Method::del, "/pins/{cid}", "cid", delete_pin);
    for (const std::string_view space : {"/ipfs", "/ipns", "/ipld"}) {
        r.add_content_path(Method::post, "/pins", space, post_pin_path);
        r.add_content_path(Method::del, "/pins", space, delete_pin_path);
    }
    r.add(Method::post, "/add", post_add);
    r.add(Method::get, "/id", get_id);
    r.add(Method::get, "/version", get_version);
    r.add(Method::get, "/peers", get_peers);
    r.add(Method::post, "/peers", post_peer);
    r.add(Method::del, "/peers/{peer}", "peer", delete_peer);
    r.add(Method::post, "/peers/{peer}/cordon", "peer", post_cordon);
    r.add(Method::post, "/peers/{peer}/uncordon", "peer", post_uncordon);
    r.add(Method::post, "/peers/{peer}/drain", "peer", post_drain);
    r.add(Method::get, "/peers/{peer}/drain", "peer", get_drain);
    r.add(Method::post, "/ipfs/gc", post_gc);
    r.add(Method::get, "/ipfs/{path...}", "path", get_content);
    r.add(Method::head, "/ipfs/{path...}", "path", get_content);
    r.add(Method::get, "/health", get_health);
    r.add(Method::get, "/health/graph", get_graph);
    r.add(Method::get, "/health/alerts", get_alerts);
    r.add(Method::get, "/health/bandwidth", get_bandwidth);
    r.add(Method::get, "/monitor/metrics", get_metric_names);
    r.add(Method::get, "/monitor/metrics/{name}", "name", get_metrics);
    r.add(Method::post, "/token", post_token);
    return std::move(r.router);
}

RestApi::RestApi(World& world, component::ClusterApi& cluster, const config::RestConfig& config,
                 std::function<void(std::string_view)> access_log)
    : server_(world, server_config(config, std::move(access_log)),
              make_handler(world, cluster, config)) {}

}  // namespace ipfscluster::rest
