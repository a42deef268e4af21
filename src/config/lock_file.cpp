#include "config/lock_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "config/file_io.hpp"

namespace ipfscluster::config {
namespace {

/// How often a lock file that vanishes under our hands is opened anew.
constexpr int kAttemptsMax = 10;

Error lock_error(const std::string& path, const std::string& why) {
    return {Kind::conflict,
            path + ": " + why + "; if no other program works here, remove the file"};
}

/// Whether the descriptor still is the file of that name (the last holder may have unlinked it).
bool still_named(int fd, const std::string& path) {
    struct stat held {};
    struct stat named {};
    return ::fstat(fd, &held) == 0 && ::stat(path.c_str(), &named) == 0 &&
           held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

}  // namespace

Result<LockFile> LockFile::acquire(const std::string& folder) {
    ICL_TRY(make_folder(folder));
    const std::string path = folder + "/cluster.lock";
    for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
        const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (fd < 0)
            return fail(lock_error(path, "cannot open: " + std::generic_category().message(errno)));
        LockFile lock(path, -1);
        struct flock whole {};
        whole.l_type = F_WRLCK;
        whole.l_whence = SEEK_SET;
        if (::fcntl(fd, F_SETLK, &whole) != 0) {
            ::close(fd);
            return fail(lock_error(path, "another program holds the lock"));
        }
        struct stat info {};
        if (::fstat(fd, &info) == 0 && info.st_size != 0) {
            ::close(fd);
            return fail(lock_error(path, "the lock file is not empty"));
        }
        if (still_named(fd, path)) {
            lock.fd_ = fd;
            return lock;
        }
        ::close(fd);
    }
    return fail(lock_error(path, "cannot keep hold of the lock"));
}

LockFile::LockFile(LockFile&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

LockFile& LockFile::operator=(LockFile&& other) noexcept {
    release();
    path_ = std::move(other.path_);
    fd_ = std::exchange(other.fd_, -1);
    return *this;
}

LockFile::~LockFile() {
    release();
}

void LockFile::release() {
    if (fd_ < 0) return;
    ::unlink(path_.c_str());
    ::close(fd_);
    fd_ = -1;
}

}  // namespace ipfscluster::config
