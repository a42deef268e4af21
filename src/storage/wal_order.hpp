#pragma once
#include <rocksdb/file_system.h>

#include <memory>

namespace ipfscluster::storage {

/// Wraps a file system so that a new write-ahead log is begun only once the one before it is on the
/// disk. RocksDB syncs a closed log no earlier than somebody asks for; a crash could then keep
/// records of the new log and lose the end of the old one, which its recovery does not notice: a
/// hole in the middle instead of a lost suffix. Any thread.
std::shared_ptr<rocksdb::FileSystem> order_wal_files(std::shared_ptr<rocksdb::FileSystem> base);

}  // namespace ipfscluster::storage
