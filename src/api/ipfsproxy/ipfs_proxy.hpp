#pragma once
#include <functional>
#include <memory>
#include <string_view>

#include "api/ipfsproxy/copied_headers.hpp"
#include "api/ipfsproxy/handlers.hpp"
#include "config/sections.hpp"
#include "http/server.hpp"

namespace ipfscluster::ipfsproxy {

/// Which daemon the proxy stands before. `listener`: where the embedded node's own RPC API listens,
/// empty when it does not; ignored unless `embedded`. With an embedded node, Kubo's usual address
/// in the file means "the node of this peer". Pure.
UpstreamNode choose_node(const config::ProxyConfig& config, bool embedded,
                         const std::vector<Multiaddr>& listener);

/// The IPFS proxy of one peer: Kubo's RPC API, with what concerns pins answered by the cluster and
/// everything else by the daemon behind. Owned by main; `cluster` outlives it; must be stopped
/// before it is destroyed. One strand: the World's.
class IpfsProxy {
 public:
    /// `invalid` when the daemon's address cannot be dialled. `access_log` gets one line per
    /// request; may be empty.
    static Result<std::unique_ptr<IpfsProxy>> make(
        World& world, component::ClusterApi& cluster, const config::ProxyConfig& config,
        UpstreamNode node, std::function<void(std::string_view)> access_log = {});

    /// `unavailable` names the address that cannot be bound.
    Async<> start() { return server_->start(); }
    /// Where it listens, with real ports.
    std::vector<Multiaddr> addresses() const { return server_->addresses(); }
    /// The daemon behind, as people read it.
    const std::string& node() const { return upstream_->name(); }
    /// Refuses new requests, lets running ones end for at most `drain`, cuts the rest.
    Async<> stop(Duration drain);

 private:
    IpfsProxy(World& world, component::ClusterApi& cluster, const config::ProxyConfig& config,
              std::unique_ptr<Upstream> upstream);
    Async<> handle(http::Exchange& e);
    Async<> intercept(http::Exchange& e, Call call);

    std::unique_ptr<Upstream> upstream_;
    CopiedHeaders copied_;
    ProxyDeps deps_;
    std::unique_ptr<http::Server> server_;
};

}  // namespace ipfscluster::ipfsproxy
