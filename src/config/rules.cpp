#include <algorithm>

#include "config/components.hpp"
#include "config/visitors.hpp"

namespace ipfscluster::config {
namespace {

auto refuse(std::string text) {
    return fail(Kind::invalid, std::move(text));
}

Result<> check_cluster(ClusterConfig& c) {
    const auto secret = check_secret(c.secret);
    if (!secret) return fail(secret.error().in("cluster.secret"));
    c.secret = secret.value();
    const bool can_listen =
        std::any_of(c.listen_multiaddress.begin(), c.listen_multiaddress.end(),
                    [](const Multiaddr& address) { return address.value_of("tcp").has_value(); });
    if (!can_listen) return refuse("cluster.listen_multiaddress: needs at least one TCP address");
    const auto& connections = c.connection_manager;
    if (connections.low_water > connections.high_water)
        return refuse("cluster.connection_manager.low_water: is greater than high_water");
    if (c.pubsub.history_gossip > c.pubsub.history_length)
        return refuse("cluster.pubsub.history_gossip: is greater than history_length");
    const auto low = c.replication_factor_min;
    const auto high = c.replication_factor_max;
    if (low > high) return refuse("cluster.replication_factor_min: is greater than the maximum");
    if ((low == -1) != (high == -1))
        return refuse("cluster.replication_factor_min: -1 (everywhere) must stand in both factors");
    if (c.pin_only_on_trusted_peers && c.pin_only_on_untrusted_peers)
        return refuse("cluster.pin_only_on_trusted_peers: contradicts pin_only_on_untrusted_peers");
    return ok();
}

Result<> check_raft(const RaftConfig& c) {
    if (c.election_timeout < c.heartbeat_timeout)
        return refuse("consensus.raft.election_timeout: is less than heartbeat_timeout");
    if (c.leader_lease_timeout > c.heartbeat_timeout)
        return refuse("consensus.raft.leader_lease_timeout: is greater than heartbeat_timeout");
    return ok();
}

Result<> check_rest(const std::string& path, const RestConfig& c) {
    if (c.ssl_cert_file.empty() != c.ssl_key_file.empty())
        return refuse(path + ".ssl_cert_file: must come together with ssl_key_file");
    const int parts = int{!c.libp2p_listen_multiaddress.empty()} + int{!c.id.empty()} +
                      int{!c.private_key.empty()};
    if (parts != 0 && parts != 3)
        return refuse(path +
                      ".libp2p_listen_multiaddress: must come together with id and private_key");
    return ok();
}

Result<> check_embedded(const EmbeddedConfig& c) {
    if (c.network != "off" && c.network != "public")
        return refuse("ipfs_connector.embedded.network: must be \"off\" or \"public\"");
    if (c.provide != "roots" && c.provide != "all" && c.provide != "off")
        return refuse("ipfs_connector.embedded.provide: must be \"roots\", \"all\" or \"off\"");
    for (const Multiaddr& address : c.bootstrap)
        if (!address.peer_id())
            return refuse("ipfs_connector.embedded.bootstrap: " + address.to_string() +
                          " has no /p2p/<id>");
    if (c.network == "public" && c.public_listen_multiaddress.empty())
        return refuse("ipfs_connector.embedded.public_listen_multiaddress: is empty");
    return ok();
}

}  // namespace

Result<> check_rules(Config& config) {
    for (const Component& component : components(config)) {
        CheckVisitor visitor(component.path());
        component.describe(visitor);
        if (visitor.error()) return fail(*visitor.error());
    }
    ICL_TRY(check_cluster(config.cluster));
    ICL_TRY(check_raft(config.raft));
    ICL_TRY(check_rest("api.restapi", config.restapi));
    ICL_TRY(check_rest("api.pinsvcapi", config.pinsvcapi));
    ICL_TRY(check_embedded(config.embedded));
    const std::string& type = config.disk.metric_type;
    if (type != "freespace" && type != "reposize")
        return refuse("informer.disk.metric_type: must be \"freespace\" or \"reposize\"");
    return ok();
}

}  // namespace ipfscluster::config
