#pragma once
#include <string>

#include "base/result.hpp"

namespace ipfscluster::config {

/// Holds `folder`/cluster.lock (an fcntl lock over an empty file, as the Go programs take it) until
/// destroyed: one program at a time works in the folder. Owned by main.
class LockFile {
 public:
    /// Creates the folder when missing. `conflict` when another process holds the lock or the file
    /// is not empty; the text names the path.
    static Result<LockFile> acquire(const std::string& folder);
    LockFile(LockFile&& other) noexcept;
    LockFile& operator=(LockFile&& other) noexcept;
    ~LockFile();
    /// Removes the file and lets go; idempotent.
    void release();

 private:
    LockFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
    std::string path_;
    int fd_ = -1;
};

}  // namespace ipfscluster::config
