#pragma once
#include <rocksdb/file_system.h>

#include <atomic>
#include <cstddef>
#include <memory>

namespace ipfscluster::storage {

/// Bytes of a new log that wait in memory for the one before it: as much as one log. Whoever writes
/// more waits for the disk, as whoever fills memory must.
inline constexpr std::size_t kHeldLogBytesMax = 16U << 20;

/// A file system on which nothing of a write-ahead log reaches the disk before the whole of the log
/// before it is there. RocksDB syncs a closed log no earlier than somebody asks for; a crash could
/// then keep records of the new log and lose the end of the old one, which its recovery does not
/// notice: a hole in the middle instead of a lost suffix.
///
/// A new log is begun by whoever writes, which is the strand, so it is begun without a sync: what
/// is written to it stays in memory until the one before has been synced, by the next sync of
/// either. Its owner asks `holding` after each write and begins that sync. Any thread.
class OrderedFs : public rocksdb::FileSystemWrapper {
 public:
    using FileSystemWrapper::FileSystemWrapper;
    /// A log waits in memory for a sync of the one before it.
    virtual bool holding() const = 0;
};

std::shared_ptr<OrderedFs> order_wal_files(std::shared_ptr<rocksdb::FileSystem> base);

}  // namespace ipfscluster::storage
