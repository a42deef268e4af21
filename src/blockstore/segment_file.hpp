#pragma once
#include <memory>
#include <string>
#include <vector>

#include "blockstore/record.hpp"

namespace ipfscluster::blockstore {

/// One open segment file. All functions block and may be called on any thread; reads may overlap,
/// writes have one caller. ENOSPC and EDQUOT become `disk_full`, other failures `internal`.
class SegmentFile {
 public:
    static Result<std::shared_ptr<SegmentFile>> create(const std::string& folder,
                                                       std::uint32_t number);
    static Result<std::shared_ptr<SegmentFile>> open(const std::string& folder,
                                                     std::uint32_t number, bool writable);
    ~SegmentFile();
    SegmentFile(const SegmentFile&) = delete;
    SegmentFile& operator=(const SegmentFile&) = delete;

    std::uint32_t number() const { return number_; }
    Result<std::uint64_t> size() const;
    /// Up to `bytes` bytes; fewer only at the end of the file.
    Result<Bytes> read(std::uint64_t offset, std::size_t bytes) const;
    /// Writes and starts the transfer to the disk without waiting for it.
    Result<> write(std::uint64_t offset, BytesView data);
    Result<> sync();
    Result<> truncate(std::uint64_t size);

 private:
    SegmentFile(int fd, std::uint32_t number, std::string path)
        : fd_(fd), number_(number), path_(std::move(path)) {}
    int fd_;
    std::uint32_t number_;
    std::string path_;
};

std::string segment_path(const std::string& folder, std::uint32_t number);
Result<> remove_segment(const std::string& folder, std::uint32_t number);
/// Makes created and removed names durable.
Result<> sync_folder(const std::string& folder);
/// Numbers of the segments in a folder, ascending. Makes the folder when it is missing.
Result<std::vector<std::uint32_t>> list_segments(const std::string& folder);

/// A record found by `scan_segment`.
struct ScannedRecord {
    Bytes multihash;
    Bytes data;  ///< empty unless asked for
    Position at;
    std::uint32_t data_bytes = 0;
};
/// Where a scan of a segment stands.
struct ScanPlace {
    std::uint64_t offset = 0;    ///< where the next step reads on
    std::uint64_t good_end = 0;  ///< behind the last good record
    /// Something before was damaged in a way that hid where the next record begins. Records found
    /// since are taken only when their data hashes to their name: inside a damaged block's data
    /// anybody may have written what looks like a record.
    bool doubtful = false;
};
struct SegmentScan {
    std::vector<ScannedRecord> records;
    ScanPlace next;  ///< where the next step goes on
    bool end = false;
    std::uint64_t damaged = 0;     ///< damaged stretches or records that were stepped over
    std::uint64_t tail_bytes = 0;  ///< at the end: bytes behind the last good record
};
/// Most bytes of a segment one scan step reads (at least one record).
inline constexpr std::size_t kScanBytesMax = 2 * kRecordBytesMax;
/// Most bytes that are summed up in one step in search of the next record. More are only met where
/// somebody laid out false records by the thousand; the segment then ends before them.
inline constexpr std::size_t kSearchBytesMax = 64u << 20;
/// Reads the records from a place on, one bounded step. Damage is stepped over: to where the
/// damaged record's lengths point, and when nothing good follows there, to the next record that can
/// be found.
Result<SegmentScan> scan_segment(const SegmentFile& file, ScanPlace from, bool with_data);

}  // namespace ipfscluster::blockstore
