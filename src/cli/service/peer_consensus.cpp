#include "cli/service/peer_consensus.hpp"

#include <algorithm>

#include "consensus/raft/raft_data.hpp"

namespace ipfscluster::service {

std::unique_ptr<component::ConsensusData> consensus_data(const config::Config& config,
                                                         const PeerId& self) {
    auto section = config.raft;
    section.data_folder = data_folder(config);
    return std::make_unique<raft::RaftData>(std::move(section), self);
}

std::string data_folder(const config::Config& config) {
    return config.raft.data_folder.empty() ? config.folder + "/raft" : config.raft.data_folder;
}

Result<> check_founds_alone(const config::Config& config, const PeerId& self) {
    const auto& founders = config.raft.init_peerset;
    if (std::any_of(founders.begin(), founders.end(), [&](const PeerId& id) { return id != self; }))
        return fail(Kind::invalid,
                    "--found-alone: consensus.raft.init_peerset names other founders; empty it");
    return ok();
}

raft::RaftOptions raft_options(const config::Config& config, bool staging) {
    const auto& c = config.raft;
    raft::RaftOptions o;
    o.init_peerset = c.init_peerset;
    o.staging = staging;
    o.election_timeout = c.election_timeout;
    o.network_timeout = c.network_timeout;
    o.snapshot_threshold = c.snapshot_threshold;
    o.trailing_logs = c.trailing_logs;
    return o;
}

}  // namespace ipfscluster::service
