#pragma once
#include <string>
#include <vector>

namespace ipfscluster::config {

/// What this build does with one key of service.json.
struct KeyRow {
    std::string path;      ///< "cluster.connection_manager.high_water"
    std::string variable;  ///< "CLUSTER_CONNECTIONMANAGER_HIGHWATER"
    std::string fallback;  ///< the default as compact JSON
    bool effective = true;
    std::string reason;  ///< why it has no effect
};

/// Every key this build reads, in file order. Keys in neither this list nor the file are unknown.
std::vector<KeyRow> key_table();

/// The two tables of docs/configuration.md, made from key_table().
std::string key_table_markdown();

}  // namespace ipfscluster::config
