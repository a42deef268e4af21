#pragma once
#include <string>
#include <vector>

#include "base/result.hpp"
#include "config/consensus_kind.hpp"
#include "config/environment.hpp"
#include "multi/multiaddr.hpp"

namespace ipfscluster::service {

/// What the command line of ipfs-cluster-service says (reference/programs 3).
struct Flags {
    enum class Command {
        none,
        help,
        version,
        init,
        daemon,
        state_export,
        state_import,
        state_cleanup,
        state_accept_loss
    };
    Command command = Command::none;
    bool version_of_program = false;  ///< asked with --version, which names the program too
    std::string help_text;            ///< of the application or of the command asked about

    std::string folder;  ///< --config, IPFS_CLUSTER_PATH, or the default; absolute
    bool debug = false;
    std::string loglevel = "info";

    // init
    std::string consensus{config::kDefaultConsensus};
    std::string ipfs = "auto";
    bool ipfs_given = false;
    bool custom_secret = false;
    bool force = false;  ///< of `state import`, `state cleanup` and `state accept-loss`, too
    bool random_ports = false;
    std::vector<std::string> peers;
    std::string source_url;
    bool terminal = false;  ///< there is somebody to ask
    std::string from;       ///< folder whose settings and identity are taken over

    // daemon
    std::vector<std::string> bootstrap;
    bool found_alone = false;
    bool leave = false;
    std::vector<std::string> not_served;  ///< flags that have no effect in this build

    // state
    std::string file;  ///< export: where to, import: where from; empty: the standard streams
    int replication_min = 0, replication_max = 0;
    std::vector<std::string> allocations;
};

/// Reads the arguments (without the program's name). `invalid` with the reason for a usage error.
Result<Flags> parse_flags(std::vector<std::string> args, const config::Environment& env);

}  // namespace ipfscluster::service
