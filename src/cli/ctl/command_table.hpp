#pragma once
#include "cli/grammar/command_line.hpp"

namespace ipfscluster::ctl {

using namespace cli;

/// Every command and flag of ipfs-cluster-ctl.
const CommandSpec& command_table();

}  // namespace ipfscluster::ctl
