#pragma once
#include "cli/ctl/command_line.hpp"

namespace ipfscluster::ctl {

/// Every command and flag of ipfs-cluster-ctl.
const CommandSpec& command_table();

}  // namespace ipfscluster::ctl
