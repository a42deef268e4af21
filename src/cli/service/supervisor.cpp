#include "cli/service/supervisor.hpp"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "base/log.hpp"

namespace ipfscluster::service {

void notify_supervisor(const std::string& state) {
    const char* path = std::getenv("NOTIFY_SOCKET");
    if (path == nullptr || *path == '\0') return;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto length = std::strlen(path);
    if (length >= sizeof address.sun_path) {
        logger("service")->warn("NOTIFY_SOCKET is too long");
        return;
    }
    std::memcpy(address.sun_path, path, length);
    if (*path == '@') address.sun_path[0] = '\0';  // an abstract name
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
    const bool sent = fd >= 0 && ::sendto(fd, state.data(), state.size(), MSG_NOSIGNAL,
                                          reinterpret_cast<sockaddr*>(&address),
                                          size) == static_cast<ssize_t>(state.size());
    if (!sent)
        logger("service")->warn("the supervisor at {} could not be told {}: {}", path, state,
                                std::strerror(errno));
    if (fd >= 0) ::close(fd);
}

std::uint64_t raise_file_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    const rlim_t wanted = limit.rlim_max == RLIM_INFINITY
                              ? kFilesWanted
                              : std::min<rlim_t>(limit.rlim_max, kFilesWanted);
    if (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < wanted) {
        rlimit raised = limit;
        raised.rlim_cur = wanted;
        if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
    }
    return limit.rlim_cur == RLIM_INFINITY ? kFilesWanted : limit.rlim_cur;
}

}  // namespace ipfscluster::service
