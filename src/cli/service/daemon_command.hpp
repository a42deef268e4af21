#pragma once
#include "cli/service/flags.hpp"

namespace ipfscluster::service {

/// `daemon`: runs the peer until a signal, its removal from the cluster or a failure. ok after an
/// orderly stop.
Result<> run_daemon(const Flags& flags, const config::Environment& env);

}  // namespace ipfscluster::service
