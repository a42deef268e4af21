#pragma once
#include <cstdint>
#include <string>

namespace ipfscluster::service {

/// Sends `state` ("READY=1") to the datagram socket that NOTIFY_SOCKET names (systemd's sd_notify
/// protocol); nothing without the variable. A supervisor that does not listen is logged, never an
/// error. Does not block.
void notify_supervisor(const std::string& state);

/// Open files this process may have, after the soft limit was raised as far as the hard one and
/// `kFilesWanted` allow.
inline constexpr std::uint64_t kFilesWanted = 65'536;
std::uint64_t raise_file_limit();

}  // namespace ipfscluster::service
