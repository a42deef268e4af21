#pragma once
#include <spdlog/spdlog.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace ipfscluster {

/// The logger of a facility ("raft", "pintracker", …); made at the first call. Any thread.
/// Messages are a fixed text followed by `key=value`.
std::shared_ptr<spdlog::logger> logger(std::string_view facility);

/// Applies a level specification as the Go programs do: "info", or "info,raft:debug,restapi:error".
/// Levels: debug, info, warn(ing), error, fatal|critical, off. `invalid` names the bad part.
Result<> set_log_levels(std::string_view spec);

/// Sends all log lines to standard error in one line format; called once by main.
void init_logging();

}  // namespace ipfscluster
