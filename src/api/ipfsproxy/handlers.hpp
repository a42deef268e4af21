#pragma once
#include "api/ipfsproxy/call.hpp"
#include "api/ipfsproxy/upstream.hpp"
#include "component/cluster_api.hpp"

/// The intercepted calls, by subject. Each is a coroutine that answers its exchange; `deps`
/// outlives them.
namespace ipfscluster::ipfsproxy {

struct ProxyDeps {
    World& world;
    component::ClusterApi& cluster;
    Upstream& upstream;
};
using Deps = const ProxyDeps&;

Async<> post_pin_add(Deps deps, http::Exchange& e, Call call);
Async<> post_pin_rm(Deps deps, http::Exchange& e, Call call);
Async<> post_pin_update(Deps deps, http::Exchange& e, Call call);
Async<> post_pin_ls(Deps deps, http::Exchange& e, Call call);
Async<> post_add(Deps deps, http::Exchange& e, Call call);
Async<> post_repo_stat(Deps deps, http::Exchange& e);
Async<> post_repo_gc(Deps deps, http::Exchange& e, Call call);
/// `block/put` and `dag/put` with `pin=true`.
Async<> post_put(Deps deps, http::Exchange& e, Call call);

}  // namespace ipfscluster::ipfsproxy
