#include "config/file_io.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "config/components.hpp"

namespace ipfscluster::config {
namespace {

/// A descriptor that closes itself.
class Fd {
 public:
    explicit Fd(int fd) : fd_(fd) {}
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    ~Fd() {
        if (fd_ >= 0) ::close(fd_);
    }
    int get() const { return fd_; }
    bool valid() const { return fd_ >= 0; }

 private:
    int fd_;
};

Error system_error(const std::string& path, const char* doing) {
    const int code = errno;
    Kind kind = Kind::internal;
    if (code == ENOENT) kind = Kind::not_found;
    if (code == EACCES || code == EPERM) kind = Kind::denied;
    if (code == ENOSPC || code == EDQUOT) kind = Kind::disk_full;
    return {kind, path + ": cannot " + doing + ": " + std::generic_category().message(code)};
}

bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(fd, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

Result<> write_synced(const std::string& path, std::string_view text, unsigned mode) {
    const Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!fd.valid()) return fail(system_error(path, "create"));
    if (::fchmod(fd.get(), mode) != 0 || !write_all(fd.get(), text) || ::fsync(fd.get()) != 0)
        return fail(system_error(path, "write"));
    return ok();
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t bytes_max) {
    ICL_TRY(auto text, read_beginning(path, bytes_max + 1));
    if (text.size() > bytes_max) return fail(Kind::invalid, path + ": is too large");
    return text;
}

Result<std::string> read_beginning(const std::string& path, std::size_t bytes_max) {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd.valid()) return fail(system_error(path, "open"));
    std::string text;
    std::array<char, 16 * 1024> buffer;
    while (true) {
        const ssize_t size = ::read(fd.get(), buffer.data(), buffer.size());
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return fail(system_error(path, "read"));
        text.append(buffer.data(), static_cast<std::size_t>(size));
        if (text.size() > bytes_max) text.resize(bytes_max);
        if (size == 0 || text.size() == bytes_max) return text;
    }
}

Result<> write_file(const std::string& path, std::string_view text, unsigned mode) {
    struct stat old {};
    if (::stat(path.c_str(), &old) == 0) mode = old.st_mode & 0777;
    const std::string temporary = path + ".tmp";
    const auto written = write_synced(temporary, text, mode);
    if (!written) {
        ::unlink(temporary.c_str());
        return fail(written.error());
    }
    if (::rename(temporary.c_str(), path.c_str()) != 0) return fail(system_error(path, "replace"));
    const std::string folder = std::filesystem::path(path).parent_path().string();
    const Fd directory(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY));
    if (directory.valid()) ::fsync(directory.get());
    return ok();
}

bool file_exists(const std::string& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0;
}

Result<> make_folder(const std::string& path) {
    const std::filesystem::path folder(path);
    std::error_code error;
    if (std::filesystem::is_directory(folder, error)) return ok();
    if (folder.has_parent_path()) std::filesystem::create_directories(folder.parent_path(), error);
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
        return fail(system_error(path, "create"));
    return ok();
}

std::string system_hostname() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0) return "peer";
    return name.data();
}

std::string default_folder(const Environment& env) {
    const auto home = env.get("HOME");
    if (home && !home->empty()) return *home + "/.ipfs-cluster";
    const passwd* entry = ::getpwuid(::getuid());
    return std::string(entry != nullptr ? entry->pw_dir : ".") + "/.ipfs-cluster";
}

Result<std::uint16_t> free_tcp_port() {
    const Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (!fd.valid() || ::bind(fd.get(), generic, size) != 0 ||
        ::getsockname(fd.get(), generic, &size) != 0)
        return fail(system_error("loopback", "find a free port"));
    return ntohs(address.sin_port);
}

}  // namespace ipfscluster::config
