#pragma once
#include <memory>

#include "http/cors.hpp"
#include "http/server.hpp"
#include "ipfs/rpc/call.hpp"

namespace ipfscluster::ipfs_rpc {

struct RpcListenerConfig {
    http::ServerConfig server;
    /// Listening elsewhere than on loopback must be asked for: whoever reaches it can read and
    /// write every block.
    bool allow_non_loopback = false;
    /// What `repo/stat` calls RepoPath.
    std::string repo_path;
};

/// Kubo's RPC API (POST /api/v0/…) over the embedded node, for `ipfs --api` and other clients of
/// Kubo, and GET /ipfs/{cid}/{path} with ranges. What it answers stands in docs/kubo-rpc.md. Owned
/// by main; `start` before, `stop` after use; one strand.
class RpcListener {
 public:
    RpcListener(node::EmbeddedNode& node, RpcListenerConfig config);
    ~RpcListener();

    /// `invalid` for an address that is not loopback when that is not allowed.
    Async<> start();
    Async<> stop(Duration drain);
    std::vector<Multiaddr> addresses() const;

    /// The handler alone, for tests and other servers.
    Async<> handle(http::Exchange& exchange);

 private:
    Async<> handle_api(http::Exchange& exchange);
    /// Only pages served from this very address may call from a browser, as in Kubo.
    void allow_own_origins();
    bool allowed(const http::Request& request) const;

    node::EmbeddedNode& node_;
    RpcListenerConfig config_;
    http::CorsConfig cors_;
    std::unique_ptr<http::Server> server_;
};

}  // namespace ipfscluster::ipfs_rpc
