#include "api/ipfsproxy/ipfs_proxy.hpp"

#include <algorithm>

#include "api/ipfsproxy/replies.hpp"

namespace ipfscluster::ipfsproxy {

namespace {

http::ServerConfig server_config(const config::ProxyConfig& config,
                                 std::function<void(std::string_view)> access_log) {
    http::ServerConfig out;
    out.name = "ipfsproxy";
    out.listen = config.listen_multiaddress;
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

CopyOptions copy_options(const config::ProxyConfig& config) {
    return {config.extract_headers_path, config.extract_headers_extra, config.extract_headers_ttl};
}

/// A web page may have sent it through its reader's browser.
bool from_browser(const http::Headers& headers) {
    return headers.has("Origin") || headers.has("Referer") || headers.has("Sec-Fetch-Site") ||
           headers.get("User-Agent").starts_with("Mozilla");
}

}  // namespace

UpstreamNode choose_node(const config::ProxyConfig& config, bool embedded,
                         const std::vector<Multiaddr>& listener) {
    UpstreamNode out;
    out.https = config.node_https;
    out.address = config.node_multiaddress;
    if (!embedded || config.node_multiaddress != config::ProxyConfig().node_multiaddress)
        return out;
    out.https = false;
    out.address.reset();
    if (!listener.empty())
        out.address = listener.front();
    else
        out.missing =
            "the embedded node does not listen: set "
            "ipfs_connector.embedded.api_listen_multiaddress, or "
            "api.ipfsproxy.node_multiaddress to the daemon that shall answer";
    return out;
}

Result<std::unique_ptr<IpfsProxy>> IpfsProxy::make(
    World& world, component::ClusterApi& cluster, const config::ProxyConfig& config,
    UpstreamNode node, std::function<void(std::string_view)> access_log) {
    ICL_TRY(auto upstream, Upstream::make(world, std::move(node)));
    std::unique_ptr<IpfsProxy> out(new IpfsProxy(world, cluster, config, std::move(upstream)));
    http::Handler handler = [self = out.get()](Exchange& e) { return self->handle(e); };
    out->server_ = std::make_unique<http::Server>(
        world, server_config(config, std::move(access_log)), std::move(handler));
    return out;
}

IpfsProxy::IpfsProxy(World& world, component::ClusterApi& cluster,
                     const config::ProxyConfig& config, std::unique_ptr<Upstream> upstream)
    : upstream_(std::move(upstream)),
      copied_(world, *upstream_, copy_options(config)),
      deps_{world, cluster, *upstream_} {}

Async<> IpfsProxy::stop(Duration drain) {
    auto stopped = co_await server_->stop(drain);
    upstream_->close();
    co_return stopped;
}

Async<> IpfsProxy::handle(Exchange& e) {
    if (e.request.method == http::Method::other)
        co_return co_await send_failure(e, 405, "this method is not passed on");
    auto call = parse_call(e.request.method, e.request.path, e.request.query);
    if (!call) co_return co_await send_failure(e, 400, call.error().text);
    if (call.value().op == Op::pass) co_return co_await upstream_->pass(e);
    if (from_browser(e.request.headers)) {
        // Kubo lets no page call that its owner has not named; neither do the calls we take over.
        bool allowed = e.request.headers.has("Origin");
        if (allowed) {
            ICL_CO_TRY(allowed, co_await copied_.allow_origin(e));
        }
        if (!allowed)
            co_return co_await e.respond(403, "text/plain; charset=utf-8", "403 - Forbidden\n");
    }
    ICL_CO_TRY(co_await copied_.add_to(e));
    e.headers.set("Server", "ipfs-cluster/ipfsproxy/" + std::string(kClusterVersion));
    co_return co_await intercept(e, std::move(call.value()));
}

Async<> IpfsProxy::intercept(Exchange& e, Call call) {
    switch (call.op) {
        case Op::pin_add:
            return post_pin_add(deps_, e, std::move(call));
        case Op::pin_rm:
            return post_pin_rm(deps_, e, std::move(call));
        case Op::pin_ls:
            return post_pin_ls(deps_, e, std::move(call));
        case Op::pin_update:
            return post_pin_update(deps_, e, std::move(call));
        case Op::add:
            return post_add(deps_, e, std::move(call));
        case Op::repo_stat:
            return post_repo_stat(deps_, e);
        case Op::repo_gc:
            return post_repo_gc(deps_, e, std::move(call));
        case Op::block_put:
        case Op::dag_put:
            return post_put(deps_, e, std::move(call));
        case Op::pass:
            break;
    }
    return upstream_->pass(e);
}

}  // namespace ipfscluster::ipfsproxy
