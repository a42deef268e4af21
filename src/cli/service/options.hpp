#pragma once
#include "blockstore/segment_store.hpp"
#include "cluster/cluster.hpp"
#include "config/config.hpp"
#include "ipfs/http/http_connector.hpp"
#include "ipfs/node/embedded_node.hpp"
#include "ipfs/pubnet/public_network.hpp"
#include "monitor/pubsub_monitor.hpp"
#include "multi/key_pair.hpp"
#include "net/bridge_host.hpp"
#include "tracker/tracker.hpp"

/// From the sections of service.json to the options of the components. Pure.
namespace ipfscluster::service {

net::BridgeHostOptions host_options(const config::Config& config, const KeyPair& identity);
monitor::MonitorOptions monitor_options(const config::Config& config);
cluster::ClusterOptions cluster_options(const config::Config& config);
tracker::TrackerOptions tracker_options(const config::Config& config);
pubnet::PublicNetworkOptions public_network_options(const config::Config& config,
                                                    const KeyPair& identity);
node::NodeOptions node_options(const config::Config& config);
ipfshttp::HttpConnectorOptions ipfshttp_options(const config::Config& config);
/// Limits are resolved against the disk that holds the block folder.
blockstore::SegmentStoreOptions segment_options(const config::Config& config);

}  // namespace ipfscluster::service
