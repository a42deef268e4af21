#pragma once
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "config/environment.hpp"

/// The few system calls of the configuration folder. Blocking: start-up and shutdown only.
namespace ipfscluster::config {

/// No more than the first `bytes_max` bytes; errors as of `read_file`.
Result<std::string> read_beginning(const std::string& path, std::size_t bytes_max);
/// The whole file; `not_found`, `invalid` when larger than `bytes_max`, else the system's reason.
Result<std::string> read_file(const std::string& path, std::size_t bytes_max);
/// Replaces the file in one step (temporary file, sync, rename). Keeps the mode of a file that is
/// there; a new one gets `mode` (not changed by the umask).
Result<> write_file(const std::string& path, std::string_view text, unsigned mode);
bool file_exists(const std::string& path);
/// Makes the folder and its parents; the folder itself gets mode 0700.
Result<> make_folder(const std::string& path);
std::string system_hostname();

}  // namespace ipfscluster::config
