#include "blockstore/segment_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace ipfscluster::blockstore {
namespace {

constexpr std::string_view kSuffix = ".blocks";

Error io_error(std::string_view what, const std::string& path, int code) {
    const auto kind = code == ENOSPC || code == EDQUOT ? Kind::disk_full
                      : code == ENOENT                 ? Kind::not_found
                                                       : Kind::internal;
    return {kind, fmt::format("{} {}: {}", what, path, std::strerror(code))};
}

Result<int> open_file(const std::string& path, int flags) {
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
    if (fd < 0) return fail(io_error("cannot open", path, errno));
    return fd;
}

}  // namespace

std::string segment_path(const std::string& folder, std::uint32_t number) {
    return fmt::format("{}/{:08}{}", folder, number, kSuffix);
}

Result<std::shared_ptr<SegmentFile>> SegmentFile::create(const std::string& folder,
                                                         std::uint32_t number) {
    auto path = segment_path(folder, number);
    ICL_TRY(const int fd, open_file(path, O_RDWR | O_CREAT | O_EXCL));
    std::shared_ptr<SegmentFile> file(new SegmentFile(fd, number, std::move(path)));
    ICL_TRY(sync_folder(folder));
    return file;
}

Result<std::shared_ptr<SegmentFile>> SegmentFile::open(const std::string& folder,
                                                       std::uint32_t number, bool writable) {
    auto path = segment_path(folder, number);
    ICL_TRY(const int fd, open_file(path, writable ? O_RDWR : O_RDONLY));
    return std::shared_ptr<SegmentFile>(new SegmentFile(fd, number, std::move(path)));
}

SegmentFile::~SegmentFile() {
    ::close(fd_);
}

Result<std::uint64_t> SegmentFile::size() const {
    struct stat st {};
    if (::fstat(fd_, &st) != 0) return fail(io_error("cannot stat", path_, errno));
    return static_cast<std::uint64_t>(st.st_size);
}

Result<Bytes> SegmentFile::read(std::uint64_t offset, std::size_t bytes) const {
    Bytes out(bytes, '\0');
    std::size_t done = 0;
    while (done < bytes) {
        const auto n =
            ::pread(fd_, out.data() + done, bytes - done, static_cast<off_t>(offset + done));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return fail(io_error("cannot read", path_, errno));
        if (n == 0) break;
        done += static_cast<std::size_t>(n);
    }
    out.resize(done);
    return out;
}

Result<> SegmentFile::write(std::uint64_t offset, BytesView data) {
    std::size_t done = 0;
    while (done < data.size()) {
        const auto n = ::pwrite(fd_, data.data() + done, data.size() - done,
                                static_cast<off_t>(offset + done));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return fail(io_error("cannot write", path_, errno));
        done += static_cast<std::size_t>(n);
    }
    // Only a hint: the transfer runs while further blocks arrive, so the later sync is short.
    ::sync_file_range(fd_, static_cast<off_t>(offset), static_cast<off_t>(data.size()),
                      SYNC_FILE_RANGE_WRITE);
    return ok();
}

Result<> SegmentFile::sync() {
    if (::fdatasync(fd_) != 0) return fail(io_error("cannot sync", path_, errno));
    return ok();
}

Result<> SegmentFile::truncate(std::uint64_t size) {
    if (::ftruncate(fd_, static_cast<off_t>(size)) != 0)
        return fail(io_error("cannot truncate", path_, errno));
    return sync();
}

Result<> remove_segment(const std::string& folder, std::uint32_t number) {
    const auto path = segment_path(folder, number);
    if (::unlink(path.c_str()) != 0 && errno != ENOENT)
        return fail(io_error("cannot remove", path, errno));
    return ok();
}

Result<> sync_folder(const std::string& folder) {
    ICL_TRY(const int fd, open_file(folder, O_RDONLY | O_DIRECTORY));
    const int status = ::fsync(fd);
    const int code = errno;
    ::close(fd);
    if (status != 0) return fail(io_error("cannot sync", folder, code));
    return ok();
}

Result<std::vector<std::uint32_t>> list_segments(const std::string& folder) {
    std::error_code ec;
    std::filesystem::create_directories(folder, ec);
    if (ec) return fail(io_error("cannot make", folder, ec.value()));
    std::vector<std::uint32_t> numbers;
    for (std::filesystem::directory_iterator it(folder, ec), end; !ec && it != end;
         it.increment(ec)) {
        const auto name = it->path().filename().string();
        if (name.size() <= kSuffix.size() || !name.ends_with(kSuffix)) continue;
        const auto digits = name.substr(0, name.size() - kSuffix.size());
        if (digits.size() > 10 ||
            !std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; }))
            continue;
        numbers.push_back(static_cast<std::uint32_t>(std::stoull(digits)));
    }
    if (ec) return fail(io_error("cannot list", folder, ec.value()));
    std::sort(numbers.begin(), numbers.end());
    return numbers;
}

Result<SegmentScan> scan_segment(const SegmentFile& file, std::uint64_t offset, bool with_data) {
    SegmentScan scan;
    ICL_TRY(const auto file_bytes, file.size());
    ICL_TRY(const auto piece, file.read(offset, kScanBytesMax));
    const bool last_piece = offset + piece.size() >= file_bytes;
    std::size_t at = 0;  // behind the last good record
    std::size_t look = 0;
    std::uint64_t skipped = 0;
    while (true) {
        RecordView record;
        const auto state = read_record(BytesView(piece).substr(look), record);
        if (state == RecordState::good) {
            scan.damaged += std::exchange(skipped, 0);
            scan.records.push_back({Bytes(record.multihash),
                                    with_data ? Bytes(record.data) : Bytes(),
                                    {file.number(), offset + look},
                                    static_cast<std::uint32_t>(record.data.size())});
            look += record.bytes;
            at = look;
            continue;
        }
        if (state == RecordState::damaged && record.bytes != 0) {
            ++skipped;
            look += record.bytes;
            continue;
        }
        scan.next = offset + at;
        // A step that found nothing in a full piece cannot find more by reading the same piece
        // again.
        scan.end = last_piece || state == RecordState::damaged || at == 0;
        if (scan.end) scan.tail_bytes = file_bytes - scan.next;
        return scan;
    }
}

}  // namespace ipfscluster::blockstore
