#pragma once
#include <functional>
#include <memory>
#include <string_view>

#include "component/cluster_api.hpp"
#include "config/sections.hpp"
#include "http/auth.hpp"
#include "http/router.hpp"
#include "http/server.hpp"

namespace ipfscluster::rest {

/// What the routes need. All outlive them.
struct RestDeps {
    World& world;
    component::ClusterApi& cluster;
    http::Credentials credentials;  ///< for `POST /token`; empty: authentication is off
};

/// All routes of the REST API (reference/http 3), without the pipeline before them.
http::Router make_rest_router(std::shared_ptr<const RestDeps> deps);

/// The REST API of one peer on its HTTP listeners. Owned by main; `cluster` outlives it; must be
/// stopped before it is destroyed. One strand.
class RestApi {
 public:
    /// `access_log` gets one line per request; may be empty.
    RestApi(World& world, component::ClusterApi& cluster, const config::RestConfig& config,
            std::function<void(std::string_view)> access_log = {});

    /// `unavailable` names the address that cannot be bound.
    Async<> start() { return server_.start(); }
    /// Where it listens, with real ports.
    std::vector<Multiaddr> addresses() const { return server_.addresses(); }
    /// Refuses new requests, lets running ones end for at most `drain`, cuts the rest.
    Async<> stop(Duration drain) { return server_.stop(drain); }

 private:
    http::Server server_;
};

}  // namespace ipfscluster::rest
