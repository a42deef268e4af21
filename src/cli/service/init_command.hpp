#pragma once
#include <istream>
#include <ostream>

#include "cli/service/flags.hpp"

namespace ipfscluster::service {

/// `init`: writes service.json, identity.json and the peerstore, and ends with what the next peer
/// needs to join. Prompts go to `out`, answers come from `in`, progress to `err`. Nothing is
/// written when anything is wrong. Returns false when the user declined to overwrite.
Result<bool> run_init(const Flags& flags, const config::Environment& env, std::istream& in,
                      std::ostream& out, std::ostream& err);

/// True when an IPFS daemon answers `POST /api/v0/version` on its usual address within a second.
bool kubo_answers();

}  // namespace ipfscluster::service
