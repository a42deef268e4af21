/// A library to preload under a peer: while the file that ICL_STALL_FILE names exists, no call that
/// writes to a file, syncs one or changes a folder returns, as on a disk that hangs. Reads go on
/// (they come from memory), and so do standard output and error, sockets and pipes. Unlike a frozen
/// file system it holds nothing in the kernel: whoever waits here can be killed.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace {

/// Shows that somebody waits: the file named like the other with .held behind it.
void tell_held(const char* file) {
    char name[PATH_MAX];
    if (snprintf(name, sizeof name, "%s.held", file) >= static_cast<int>(sizeof name)) return;
    const int fd = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (fd >= 0) close(fd);
}

/// Waits until the disk moves again. Keeps errno; allocates nothing.
void wait_for_disk() {
    static const char* const file = getenv("ICL_STALL_FILE");
    if (file == nullptr) return;
    const int kept = errno;
    for (bool told = false; access(file, F_OK) == 0;) {
        if (!told) {
            tell_held(file);
            told = true;
        }
        const timespec pause{.tv_sec = 0, .tv_nsec = 20'000'000};
        nanosleep(&pause, nullptr);
    }
    errno = kept;
}

void wait_for_disk_of(int fd) {
    struct stat what {};
    if (fd > STDERR_FILENO && fstat(fd, &what) == 0 && S_ISREG(what.st_mode)) wait_for_disk();
}

template <class Function>
Function* next_one(const char* name) {
    return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

// Each symbol of libc that writes is taken by name; `wait` is what it waits for.
#define ICL_HOLD(result, name, parameters, arguments, wait)           \
    extern "C" result name parameters {                               \
        static auto* const real = next_one<result parameters>(#name); \
        wait;                                                         \
        return real arguments;                                        \
    }

ICL_HOLD(int, fsync, (int fd), (fd), wait_for_disk_of(fd))
ICL_HOLD(int, fdatasync, (int fd), (fd), wait_for_disk_of(fd))
ICL_HOLD(int, sync_file_range, (int fd, off64_t from, off64_t size, unsigned how),
         (fd, from, size, how), wait_for_disk_of(fd))
ICL_HOLD(ssize_t, write, (int fd, const void* data, size_t size), (fd, data, size),
         wait_for_disk_of(fd))
ICL_HOLD(ssize_t, writev, (int fd, const iovec* parts, int count), (fd, parts, count),
         wait_for_disk_of(fd))
ICL_HOLD(ssize_t, pwrite, (int fd, const void* data, size_t size, off_t at), (fd, data, size, at),
         wait_for_disk_of(fd))
ICL_HOLD(ssize_t, pwrite64, (int fd, const void* data, size_t size, off64_t at),
         (fd, data, size, at), wait_for_disk_of(fd))
ICL_HOLD(int, ftruncate, (int fd, off_t size), (fd, size), wait_for_disk_of(fd))
ICL_HOLD(int, ftruncate64, (int fd, off64_t size), (fd, size), wait_for_disk_of(fd))
ICL_HOLD(int, fallocate, (int fd, int how, off_t from, off_t size), (fd, how, from, size),
         wait_for_disk_of(fd))
ICL_HOLD(int, fallocate64, (int fd, int how, off64_t from, off64_t size), (fd, how, from, size),
         wait_for_disk_of(fd))
ICL_HOLD(int, rename, (const char* from, const char* to), (from, to), wait_for_disk())
ICL_HOLD(int, unlink, (const char* path), (path), wait_for_disk())
