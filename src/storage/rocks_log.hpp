#pragma once
#include <rocksdb/env.h>

#include <memory>

namespace ipfscluster::storage {

/// What RocksDB tells of its troubles, as lines of the facility "storage" instead of its own file.
/// That file lies on the disk whose failures it tells of, and Debian's RocksDB, which is built with
/// assertions, ends the program when a second line finds that the first could not be written. Any
/// thread.
std::shared_ptr<rocksdb::Logger> make_rocks_log();

}  // namespace ipfscluster::storage
