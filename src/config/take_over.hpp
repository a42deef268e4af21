#pragma once
#include <string>
#include <vector>

#include "config/config.hpp"
#include "multi/key_pair.hpp"

namespace ipfscluster::config {

/// What `init --from` carries from the folder of a Go peer (any version, raft or crdt) or of ours
/// into a new one. A plain value.
struct TakenOver {
    Config config;  ///< its settings, for raft; file names as they were written
    KeyPair identity;
    Addresses peers;  ///< its peerstore
    /// Files named relative to the old folder that the new one needs too: certificates and keys.
    Strings files;
    Warnings notices;  ///< what could not be kept
};

/// Reads the old folder and changes nothing in it. Errors as of load_config and read_identity;
/// `unsupported` for a remote configuration.
Result<TakenOver> read_old_folder(const std::string& folder);

}  // namespace ipfscluster::config
