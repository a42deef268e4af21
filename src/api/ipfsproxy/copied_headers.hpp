#pragma once
#include <string>
#include <vector>

#include "api/ipfsproxy/upstream.hpp"
#include "runtime/signal.hpp"

namespace ipfscluster::ipfsproxy {

/// Longest an intercepted request waits for fields of the daemon.
inline constexpr Duration kCopyLimit = std::chrono::seconds(2);

struct CopyOptions {
    std::string path = "/api/v0/version";    ///< whose answer's fields are copied
    std::vector<std::string> extra;          ///< names besides Access-Control-Expose-Headers
    Duration ttl = std::chrono::minutes(5);  ///< 0: fetched once
};

/// What makes our own answers look like the daemon's to a browser: fields copied from it, and its
/// word on which pages may call. Owned by the proxy; one strand. What the daemon does not say is
/// left out.
class CopiedHeaders {
 public:
    CopiedHeaders(World& world, Upstream& upstream, CopyOptions options);

    /// Adds the daemon's fields to the answer, fetching them when they are older than the ttl; old
    /// ones serve when that fails. Fails only when cancelled.
    Async<> add_to(http::Exchange& e);
    /// For a request with an `Origin`: asks the daemon whether that page may call, and adds the
    /// fields that tell the browser. False when it may not, or nobody could be asked.
    Async<bool> allow_origin(http::Exchange& e);

 private:
    Async<> refresh();
    bool fresh() const;

    World& world_;
    Upstream& upstream_;
    CopyOptions options_;
    std::vector<std::pair<std::string, std::string>> fields_;
    bool asked_ = false;
    SteadyTime asked_at_{};
    bool asking_ = false;
    Signal answered_;
};

}  // namespace ipfscluster::ipfsproxy
