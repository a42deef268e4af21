#pragma once
#include <string>
#include <vector>

#include "base/time.hpp"
#include "http/message.hpp"

namespace ipfscluster::http {

/// Cross-origin rules (reference/http 1.1, 1.5).
struct CorsConfig {
    std::vector<std::string> allowed_origins{"*"};  ///< one `*` inside each matches any text
    std::vector<std::string> allowed_methods{"GET"};
    std::vector<std::string> allowed_headers;  ///< empty: accept, content-type, x-requested-with
    std::vector<std::string> exposed_headers{"Content-Type", "X-Stream-Output", "X-Chunked-Output",
                                             "X-Content-Length"};
    bool allow_credentials = true;
    Duration max_age{};
};

/// True for an OPTIONS request that asks beforehand; it is answered 204 and goes no further.
bool is_preflight(const Request& request);

/// Adds the fields the answer to `request` carries. Pure.
void add_cors_fields(const CorsConfig& config, const Request& request, Headers& fields);

}  // namespace ipfscluster::http
