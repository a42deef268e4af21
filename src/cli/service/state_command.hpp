#pragma once
#include <istream>
#include <ostream>

#include "cli/service/flags.hpp"

/// `ipfs-cluster-service state …`: work on the pinset of a peer that does not run. Each takes the
/// folder's lock, so a running daemon makes it fail. Prompts and the export go to `out`, answers
/// and an import without a file come from `in`. Blocking; main calls them.
namespace ipfscluster::service {

/// Writes the pinset, one pin per line in the Go programs' form, in constant memory.
Result<> run_state_export(const Flags& flags, const config::Environment& env, std::ostream& out);

/// Replaces the pinset by the pins of a file. Nothing changes unless every pin of it is good: they
/// are staged beside the pinset and switched in by one synced write, which also removes what
/// consensus had. The next start founds a cluster with them. False: the user declined.
Result<bool> run_state_import(const Flags& flags, const config::Environment& env, std::istream& in,
                              std::ostream& out);

/// Moves pinset and consensus data to `<data folder>.old.0`, older ones up to `backups_rotate`;
/// removes them when there is nothing in them. Blocks, identity and configuration stay. False: the
/// user declined.
Result<bool> run_state_cleanup(const Flags& flags, const config::Environment& env, std::istream& in,
                               std::ostream& out);

/// Forgets what is known to be lost (the floor under the log), after saying how much it is: the
/// peer starts with what is there. False: the user declined.
Result<bool> run_state_accept_loss(const Flags& flags, const config::Environment& env,
                                   std::istream& in, std::ostream& out);

}  // namespace ipfscluster::service
