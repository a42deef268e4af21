#include "blockstore/segment_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "dag/block.hpp"

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

/// Beyond its checksum. A function that we do not compute counts as a mismatch: no block is stored
/// under one.
bool is_what_it_says(const RecordView& record) {
    return dag::verify_block(Cid::v1(Codec::raw, record.multihash), record.data).has_value();
}

struct Found {
    RecordState state;  ///< `damaged`: nothing
    std::size_t at = 0;
};

/// The first place from `at` on where a record begins that is what it says, or, `cut`, where one
/// may begin that the piece does not hold whole. `searched` counts the bytes looked at closely.
Found find_record(BytesView piece, std::size_t at, bool last_piece, std::size_t& searched) {
    for (; at < piece.size(); ++at) {
        const auto in = piece.substr(at);
        if (in.size() < kRecordHeaderBytes) {
            if (last_piece) break;
            return {RecordState::cut, at};
        }
        if (get_be32(in) > dag::kBlockBytesMax) continue;
        const std::size_t hash_bytes = static_cast<std::uint8_t>(in[4]);
        // Cheap, and true of next to nothing that is not a record.
        if (in.size() >= kRecordHeaderBytes + hash_bytes &&
            !parse_multihash(in.substr(kRecordHeaderBytes, hash_bytes)))
            continue;
        RecordView record;
        const auto state = read_record(in, record);
        if (state == RecordState::cut && !last_piece) return {state, at};
        searched += record.bytes;
        if (searched > kSearchBytesMax) break;
        if (state == RecordState::good && is_what_it_says(record)) return {state, at};
    }
    return {RecordState::damaged};
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

Result<SegmentScan> scan_segment(const SegmentFile& file, ScanPlace from, bool with_data) {
    SegmentScan scan;
    scan.next = from;
    auto& place = scan.next;
    ICL_TRY(const auto file_bytes, file.size());
    ICL_TRY(const auto piece, file.read(from.offset, kScanBytesMax));
    const bool last_piece = from.offset + piece.size() >= file_bytes;
    std::size_t searched = 0;
    std::uint64_t skipped = 0;
    std::size_t good = 0;  // behind the last good record of this piece
    std::size_t look = 0;
    while (true) {
        RecordView record;
        auto state = read_record(BytesView(piece).substr(look), record);
        if (state == RecordState::good && place.doubtful && !is_what_it_says(record))
            state = RecordState::damaged;
        if (state == RecordState::good) {
            if (from.offset + look != place.good_end)
                scan.damaged += std::max<std::uint64_t>(std::exchange(skipped, 0), 1);
            scan.records.push_back({Bytes(record.multihash),
                                    with_data ? Bytes(record.data) : Bytes(),
                                    {file.number(), from.offset + look},
                                    static_cast<std::uint32_t>(record.data.size())});
            look += record.bytes;
            good = look;
            place.offset = place.good_end = from.offset + good;
            continue;
        }
        if (state == RecordState::damaged && record.bytes != 0) {
            ++skipped;
            look += record.bytes;
            continue;
        }
        if (state == RecordState::cut && !last_piece && good > 0) return scan;
        if (good < piece.size()) {
            // The lengths of what lies here, or of what led here, are wrong.
            place.doubtful = true;
            skipped = 1;
            const auto found = find_record(piece, good + 1, last_piece, searched);
            if (found.state == RecordState::good) {
                look = found.at;
                continue;
            }
            if (found.state == RecordState::cut) {
                place.offset = from.offset + found.at;
                return scan;
            }
        }
        scan.end = true;
        scan.tail_bytes = file_bytes - place.good_end;
        return scan;
    }
}

}  // namespace ipfscluster::blockstore
