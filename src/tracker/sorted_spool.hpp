#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace ipfscluster::tracker {

/// Bytes of records that are sorted in memory at a time.
inline constexpr std::size_t kSpoolRunBytes = 1024 * 1024;
/// Sorted pieces a spool may have; with full ones that is 4 GiB of records.
inline constexpr std::size_t kSpoolRunsMax = 4096;
inline constexpr std::size_t kSpoolRecordMax = 1024;
/// Read-ahead of all pieces together while they are merged, and the least of one.
inline constexpr std::size_t kSpoolReadBytes = 4 * 1024 * 1024;
inline constexpr std::size_t kSpoolPieceReadMin = 4096;

/// Sorts byte records that come in any order and may be many more than fit into memory: pieces are
/// sorted in memory, written to one temporary file and merged when they are read back. The file has
/// no name from the moment it exists, so nothing is left behind by a crash; what fits into one
/// piece makes no file at all. The functions marked "blocking" touch the disk and belong off the
/// strand; one caller at a time.
class SortedSpool {
 public:
    /// The file is made in `folder`, which must exist.
    explicit SortedSpool(std::string folder, std::size_t run_bytes = kSpoolRunBytes);
    ~SortedSpool();
    SortedSpool(const SortedSpool&) = delete;
    SortedSpool& operator=(const SortedSpool&) = delete;

    /// Takes one record of at most kSpoolRecordMax bytes. Only memory; true when `write_run` is
    /// due.
    bool add(BytesView record);
    /// Blocking. Sorts what was added since the last call and writes it. `disk_full` or what the
    /// file system says; `unsupported` beyond kSpoolRunsMax.
    Result<> write_run();
    /// Blocking. After the last `add`: gets ready to be read.
    Result<> finish();
    /// Blocking. The next records in byte order, at most `records_max`, equal ones once; empty at
    /// the end.
    Result<std::vector<Bytes>> read(std::size_t records_max);

    std::size_t runs() const { return runs_.size(); }

 private:
    class Reader;
    void sort_pending();
    BytesView pending(std::size_t i) const;
    Result<> open_file();

    std::string folder_;
    std::size_t run_bytes_;
    int fd_ = -1;
    Bytes arena_;                                                ///< records of the open piece
    std::vector<std::pair<std::uint32_t, std::uint32_t>> at_;    ///< their offsets and lengths
    std::vector<std::pair<std::uint64_t, std::uint64_t>> runs_;  ///< begin and end in the file
    std::vector<std::unique_ptr<Reader>> heads_;                 ///< a heap, the least first
    std::size_t next_pending_ = 0;
    Bytes last_;
    bool any_read_ = false;
};

}  // namespace ipfscluster::tracker
