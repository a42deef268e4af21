#include "cli/ctl/extractor.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

namespace ipfscluster::ctl {
namespace {

constexpr std::size_t kPartsMax = 4096;

auto system_failure(const std::string& path) {
    const int code = errno;
    const Kind kind = code == ENOSPC || code == EDQUOT ? Kind::disk_full
                      : code == EEXIST                 ? Kind::conflict
                                                       : Kind::internal;
    return fail(kind, path + ": " + std::generic_category().message(code));
}

/// The parts of an entry's path behind the first; `corrupt` for anything that could lead elsewhere.
Result<std::vector<std::string>> inner_parts(const std::string& path) {
    std::vector<std::string> parts;
    std::size_t begin = 0;
    if (path.starts_with('/')) return fail(Kind::corrupt, "tar: absolute path \"" + path + "\"");
    while (begin <= path.size()) {
        const std::size_t slash = std::min(path.find('/', begin), path.size());
        const std::string part = path.substr(begin, slash - begin);
        if (part == "..") return fail(Kind::corrupt, "tar: path \"" + path + "\" leads outside");
        if (part.find('\0') != std::string::npos)
            return fail(Kind::corrupt, "tar: a path has a zero byte");
        if (!part.empty() && part != ".") parts.push_back(part);
        begin = slash + 1;
    }
    if (parts.empty()) return fail(Kind::corrupt, "tar: an entry has no name");
    if (parts.size() > kPartsMax) return fail(Kind::corrupt, "tar: a path is too deep");
    parts.erase(parts.begin());
    return parts;
}

/// The last part of the path of a file, which was checked; "./name" has one part, too.
std::string own_name(const std::string& path) {
    return path.substr(path.rfind('/') + 1);
}

void close_fd(int& fd) {
    if (fd >= 0) ::close(fd);
    fd = -1;
}

/// Opens a folder that must be a real one, making it when missing.
int enter(int parent, const std::string& name) {
    constexpr int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int fd = ::openat(parent, name.c_str(), flags);
    if (fd < 0 && errno == ENOENT && ::mkdirat(parent, name.c_str(), 0777) == 0)
        fd = ::openat(parent, name.c_str(), flags);
    return fd;
}

}  // namespace

Extractor::Extractor(std::string target) : target_(std::move(target)) {
    std::filesystem::path path(target_);
    if (!path.has_filename()) path = path.parent_path();
    base_name_ = path.filename().string();
    const std::string parent = path.has_parent_path() ? path.parent_path().string() : ".";
    base_ = ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

Extractor::~Extractor() {
    close_fd(file_);
    close_fd(folder_);
    close_fd(base_);
}

Result<> Extractor::entry(const TarEntry& entry) {
    if (base_ < 0 || base_name_.empty() || base_name_ == "..")
        return fail(Kind::invalid, target_ + ": the folder it should lie in cannot be opened");
    ICL_TRY(auto parts, inner_parts(entry.path));
    const bool first = std::exchange(first_, false);
    // The target itself is made in the folder it lies in, everything else below the target.
    if (parts.empty()) {
        if (entry.type == TarEntry::Type::folder)
            return base_name_ == "." ? ok() : make(base_, base_name_, entry);
        // A file goes into a folder that was there before, under its own name. Only the first entry
        // may: a link made by an entry before it could lead anywhere.
        struct stat there {};
        if (!first || ::fstatat(base_, base_name_.c_str(), &there, 0) != 0 ||
            !S_ISDIR(there.st_mode))
            return make(base_, base_name_, entry);
        close_fd(folder_);
        folder_ = ::openat(base_, base_name_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (folder_ < 0) return system_failure(target_);
        return make(folder_, own_name(entry.path), entry);
    }
    const std::string name = std::move(parts.back());
    parts.pop_back();
    ICL_TRY(const int folder, open_folder(parts));
    return make(folder, name, entry);
}

Result<int> Extractor::open_folder(const std::vector<std::string>& parts) {
    if (folder_ >= 0 && parts == folder_parts_) return folder_;
    close_fd(folder_);
    std::string path = target_;
    int at = enter(base_, base_name_);
    for (std::size_t i = 0; at >= 0 && i < parts.size(); ++i) {
        path += "/" + parts[i];
        int next = enter(at, parts[i]);
        close_fd(at);
        at = next;
    }
    if (at < 0) return system_failure(path);
    folder_ = at;
    folder_parts_ = parts;
    return folder_;
}

Result<> Extractor::make(int folder, const std::string& name, const TarEntry& entry) {
    const std::string shown = target_ + " (" + entry.path + ")";
    if (entry.type == TarEntry::Type::folder) {
        int fd = enter(folder, name);
        if (fd < 0) return system_failure(shown);
        close_fd(fd);
        return ok();
    }
    ++files_;
    if (entry.type == TarEntry::Type::link) {
        if (::symlinkat(entry.target.c_str(), folder, name.c_str()) != 0)
            return system_failure(shown);
        return ok();
    }
    file_ =
        ::openat(folder, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (file_ < 0) return system_failure(shown);
    file_path_ = shown;
    return ok();
}

Result<> Extractor::data(BytesView piece) {
    while (!piece.empty()) {
        const ssize_t written = ::write(file_, piece.data(), piece.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return system_failure(file_path_);
        piece.remove_prefix(static_cast<std::size_t>(written));
    }
    return ok();
}

Result<> Extractor::end() {
    if (file_ < 0) return ok();
    const int fd = std::exchange(file_, -1);
    if (::close(fd) != 0) return system_failure(file_path_);
    return ok();
}

}  // namespace ipfscluster::ctl
