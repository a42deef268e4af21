#pragma once
#include <memory>
#include <string>

#include "component/consensus_data.hpp"
#include "config/config.hpp"
#include "consensus/raft/options.hpp"

/// What the programs must know of the kind of consensus that the configuration names. The one place
/// beside peer.cpp.
namespace ipfscluster::service {

/// The data of a peer that does not run.
std::unique_ptr<component::ConsensusData> consensus_data(const config::Config& config,
                                                         const PeerId& self);
/// Folder of the peer's database.
std::string data_folder(const config::Config& config);
/// `invalid` where the configuration says that `self` founds together with others.
Result<> check_founds_alone(const config::Config& config, const PeerId& self);

/// For the consensus of a running peer.
raft::RaftOptions raft_options(const config::Config& config, bool staging);

}  // namespace ipfscluster::service
