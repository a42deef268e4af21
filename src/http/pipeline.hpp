#pragma once
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "http/auth.hpp"
#include "http/cors.hpp"
#include "http/router.hpp"
#include "runtime/world.hpp"

namespace ipfscluster::http {

/// What REST and the pinning service have in common before a request reaches its route
/// (reference/http 1.3).
struct PipelineConfig {
    Credentials credentials;  ///< empty: no authentication
    std::string realm = "Restricted IPFS Cluster API";
    CorsConfig cors;
    std::vector<std::pair<std::string, std::string>> headers;  ///< added to every handler's answer
    /// The surface's error object.
    std::function<Bytes(int status, std::string_view message)> error_body;
};

/// Authentication, then CORS, then the slash rules, then the router. The handler owns `router`.
Handler make_pipeline(World& world, PipelineConfig config, Router router);

/// The path without empty, `.` and `..` parts; a trailing slash stays.
std::string clean_path(std::string_view path);

}  // namespace ipfscluster::http
