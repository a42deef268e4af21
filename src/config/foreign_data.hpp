#pragma once
#include <optional>
#include <string>

#include "base/result.hpp"
#include "config/environment.hpp"

/// Folders that the Go programs have run in. Their settings can be taken over, their consensus data
/// cannot be read. Blocking file access; start-up only.
namespace ipfscluster::config {

/// Fails (`unsupported`) when `folder` holds consensus data of a Go peer or a crdt section; the
/// text says what was found and gives the commands that carry it over. A folder without
/// service.json, or with one that cannot be read, is left to whoever loads it.
Result<> check_no_foreign_data(const std::string& folder, const Environment& env);

}  // namespace ipfscluster::config
