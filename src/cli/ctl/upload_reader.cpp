#include "cli/ctl/upload_reader.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

namespace ipfscluster::ctl {
namespace {

/// How much of the body is made at once: enough that small files travel together.
constexpr std::size_t kPieceBytes = 512 * 1024;
constexpr std::size_t kReadBytes = 256 * 1024;
constexpr std::size_t kFolderDepthMax = 4096;
constexpr std::string_view kStandardInput = "-";

auto system_failure(const std::string& path) {
    return fail(Kind::invalid, path + ": " + std::generic_category().message(errno));
}

Result<std::string> read_link(const std::string& path) {
    std::error_code error;
    const auto target = std::filesystem::read_symlink(path, error);
    if (error) return fail(Kind::invalid, path + ": " + error.message());
    return target.string();
}

Result<std::vector<std::string>> children_of(const std::string& path, bool hidden) {
    std::vector<std::string> names;
    std::error_code error;
    std::filesystem::directory_iterator it(path, error);
    for (; !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
        std::string name = it->path().filename().string();
        if (hidden || !name.starts_with('.')) names.push_back(std::move(name));
    }
    if (error) return fail(Kind::invalid, path + ": " + error.message());
    std::sort(names.begin(), names.end());
    return names;
}

std::uint64_t measure(const std::string& path, bool hidden, std::size_t depth) {
    struct stat info {};
    if (depth > kFolderDepthMax || ::lstat(path.c_str(), &info) != 0) return 0;
    if (S_ISREG(info.st_mode)) return static_cast<std::uint64_t>(info.st_size);
    if (!S_ISDIR(info.st_mode)) return 0;
    const auto names = children_of(path, hidden);
    std::uint64_t sum = 0;
    if (names)
        for (const std::string& name : names.value())
            sum += measure(path + "/" + name, hidden, depth + 1);
    return sum;
}

}  // namespace

Result<std::string> upload_name(const std::string& path) {
    if (path == kStandardInput) return std::string();
    std::error_code error;
    std::filesystem::path named(path);
    if (!named.has_filename()) named = named.parent_path();
    std::string name = named.filename().string();
    if (name == "." || name == "..")
        name = std::filesystem::weakly_canonical(path, error).filename().string();
    if (name.empty() || name == "/") return fail(Kind::invalid, path + ": has no name of its own");
    return name;
}

Result<> check_readable(const std::string& path) {
    if (path == kStandardInput) return ok();
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0) return system_failure(path);
    if (!S_ISLNK(info.st_mode) && ::access(path.c_str(), R_OK) != 0) return system_failure(path);
    return ok();
}

std::uint64_t measure_upload(const std::vector<UploadRoot>& roots, bool hidden) {
    std::uint64_t sum = 0;
    for (const UploadRoot& root : roots)
        if (root.path != kStandardInput) sum += measure(root.path, hidden, 0);
    return sum;
}

std::string first_folder(const std::vector<UploadRoot>& roots) {
    for (const UploadRoot& root : roots) {
        struct stat info {};
        if (root.path != kStandardInput && ::lstat(root.path.c_str(), &info) == 0 &&
            S_ISDIR(info.st_mode))
            return root.path;
    }
    return {};
}

UploadReader::UploadReader(std::vector<UploadRoot> roots, bool hidden, http::MultipartWriter writer)
    : roots_(std::move(roots)), hidden_(hidden), writer_(std::move(writer)) {}

UploadReader::~UploadReader() {
    close_file();
}

void UploadReader::close_file() {
    if (file_ > STDIN_FILENO) ::close(file_);
    file_ = -1;
}

Result<bool> UploadReader::fill(Bytes& out, std::size_t target) {
    while (out.size() < target) {
        if (file_ >= 0) {
            ICL_TRY(read_file(out, target));
        } else if (!folders_.empty()) {
            Folder& folder = folders_.back();
            if (folder.next == folder.children.size()) {
                folders_.pop_back();
                continue;
            }
            const std::string& child = folder.children[folder.next++];
            ICL_TRY(begin({folder.self.path + "/" + child, folder.self.name + "/" + child}, out));
        } else if (next_root_ < roots_.size()) {
            ICL_TRY(begin(roots_[next_root_++], out));
        } else {
            if (!closed_) out += writer_.close();
            closed_ = true;
            return false;
        }
    }
    return true;
}

Result<> UploadReader::begin(const UploadRoot& entry, Bytes& out) {
    if (entry.path == kStandardInput) {
        out += writer_.begin_file(entry.name, "application/octet-stream");
        file_ = STDIN_FILENO;
        file_path_ = "standard input";
        return ok();
    }
    struct stat info {};
    if (::lstat(entry.path.c_str(), &info) != 0) return system_failure(entry.path);
    if (S_ISDIR(info.st_mode)) return begin_folder(entry, out);
    if (S_ISLNK(info.st_mode)) {
        ICL_TRY(const auto target, read_link(entry.path));
        out += writer_.begin_file(entry.name, "application/symlink") + target;
        return ok();
    }
    if (!S_ISREG(info.st_mode))
        return fail(Kind::invalid, entry.path + ": is neither a file, a directory nor a link");
    file_ = ::open(entry.path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file_ < 0) return system_failure(entry.path);
    file_path_ = entry.path;
    out += writer_.begin_file(entry.name, "application/octet-stream");
    return ok();
}

Result<> UploadReader::begin_folder(const UploadRoot& entry, Bytes& out) {
    if (folders_.size() == kFolderDepthMax)
        return fail(Kind::invalid, entry.path + ": directories are nested too deep");
    ICL_TRY(auto children, children_of(entry.path, hidden_));
    out += writer_.begin_file(entry.name, "application/x-directory");
    folders_.push_back({entry, std::move(children), 0});
    return ok();
}

Result<> UploadReader::read_file(Bytes& out, std::size_t target) {
    const std::size_t before = out.size();
    const std::size_t wanted = std::min(kReadBytes, std::max<std::size_t>(target - before, 4096));
    out.resize(before + wanted);
    ssize_t size = 0;
    do {
        size = ::read(file_, out.data() + before, wanted);
    } while (size < 0 && errno == EINTR);
    if (size < 0) {
        out.resize(before);
        return system_failure(file_path_);
    }
    out.resize(before + static_cast<std::size_t>(size));
    content_bytes_ += static_cast<std::uint64_t>(size);
    if (size == 0) close_file();
    return ok();
}

Async<std::optional<Bytes>> UploadSource::next() {
    if (ended_) co_return std::optional<Bytes>{};
    struct Piece {
        Bytes bytes;
        bool more = false;
    };
    auto work = [reader = reader_]() -> Result<Piece> {
        Piece made;
        made.bytes.reserve(kPieceBytes + kReadBytes);
        ICL_TRY(made.more, reader->fill(made.bytes, kPieceBytes));
        return made;
    };
    auto piece = co_await offload(world_, std::move(work));
    if (!piece) co_return fail(piece.error());
    ended_ = !piece.value().more;
    co_return std::optional<Bytes>(std::move(piece.value().bytes));
}

}  // namespace ipfscluster::ctl
