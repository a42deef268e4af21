#pragma once
#include "api/rest/rest_api.hpp"

/// The route handlers, by subject. Each is a coroutine that answers its exchange; `deps` outlives
/// them.
namespace ipfscluster::rest {

using Deps = const RestDeps&;
using http::Exchange;
using http::PathParams;

// What the peer is and how it does.
Async<> get_id(Deps deps, Exchange& e);
Async<> get_version(Deps deps, Exchange& e);
Async<> get_health(Deps deps, Exchange& e);
Async<> get_graph(Deps deps, Exchange& e);
Async<> get_alerts(Deps deps, Exchange& e);
Async<> get_bandwidth(Deps deps, Exchange& e);
Async<> get_metric_names(Deps deps, Exchange& e);
Async<> get_metrics(Deps deps, Exchange& e, std::string name);
Async<> post_token(Deps deps, Exchange& e);
Async<> post_gc(Deps deps, Exchange& e);

// Members.
Async<> get_peers(Deps deps, Exchange& e);
Async<> post_peer(Deps deps, Exchange& e);
Async<> delete_peer(Deps deps, Exchange& e, std::string peer);
Async<> post_cordon(Deps deps, Exchange& e, std::string peer);
Async<> post_uncordon(Deps deps, Exchange& e, std::string peer);
Async<> post_drain(Deps deps, Exchange& e, std::string peer);
Async<> get_drain(Deps deps, Exchange& e, std::string peer);

// The pinset.
Async<> get_allocations(Deps deps, Exchange& e);
Async<> get_allocation(Deps deps, Exchange& e, std::string cid);
Async<> post_pin(Deps deps, Exchange& e, std::string cid);
Async<> delete_pin(Deps deps, Exchange& e, std::string cid);
/// `path` with its `/ipfs/`, `/ipns/` or `/ipld/`.
Async<> post_pin_path(Deps deps, Exchange& e, std::string path);
Async<> delete_pin_path(Deps deps, Exchange& e, std::string path);

// What the peers do about it.
Async<> get_statuses(Deps deps, Exchange& e);
Async<> get_status(Deps deps, Exchange& e, std::string cid);
Async<> post_recover(Deps deps, Exchange& e, std::string cid);
Async<> post_recover_all(Deps deps, Exchange& e);
Async<> post_sync(Deps deps, Exchange& e, std::string cid);
Async<> post_sync_all(Deps deps, Exchange& e);

// Content.
Async<> post_add(Deps deps, Exchange& e);
/// `path` begins with the CID.
Async<> get_content(Deps deps, Exchange& e, std::string path);

}  // namespace ipfscluster::rest
