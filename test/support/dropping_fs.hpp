#pragma once
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace ipfscluster::test {

/// A file system for RocksDB that forgets what was not synced, as a disk does when the power goes.
/// Until `crash` everything goes through to the real files while the synced length of each is
/// noted. Any thread, since RocksDB writes from several.
class DroppingFs final : public rocksdb::FileSystemWrapper {
 public:
    explicit DroppingFs(std::uint64_t seed);
    static const char* kClassName() { return "DroppingFs"; }
    const char* Name() const override { return kClassName(); }

    /// From now on every write and sync fails, so that a closing database changes nothing more.
    void stop();
    /// After the database object is gone: cuts each file to its synced length plus a seeded part of
    /// the rest, removes new files and undoes renames whose folder was not synced. Then works
    /// again.
    void crash();
    /// Syncs of write-ahead logs succeed but are not noted: a database that does not sync before it
    /// acknowledges.
    void ignore_log_syncs(bool on);
    std::uint64_t syncs() const { return syncs_; }

    rocksdb::IOStatus NewWritableFile(const std::string& f, const rocksdb::FileOptions& o,
                                      std::unique_ptr<rocksdb::FSWritableFile>* r,
                                      rocksdb::IODebugContext* d) override;
    rocksdb::IOStatus ReopenWritableFile(const std::string& f, const rocksdb::FileOptions& o,
                                         std::unique_ptr<rocksdb::FSWritableFile>* r,
                                         rocksdb::IODebugContext* d) override;
    rocksdb::IOStatus NewDirectory(const std::string& name, const rocksdb::IOOptions& o,
                                   std::unique_ptr<rocksdb::FSDirectory>* r,
                                   rocksdb::IODebugContext* d) override;
    rocksdb::IOStatus DeleteFile(const std::string& f, const rocksdb::IOOptions& o,
                                 rocksdb::IODebugContext* d) override;
    rocksdb::IOStatus RenameFile(const std::string& s, const std::string& t,
                                 const rocksdb::IOOptions& o, rocksdb::IODebugContext* d) override;

 private:
    class File;
    class Folder;
    struct Length {
        std::uint64_t written = 0;
        std::uint64_t synced = 0;
    };
    /// A change of a folder that a sync of it would make durable.
    struct Entry {
        std::string name;
        std::optional<std::string> replaced;  ///< what the name held before a rename
    };
    rocksdb::IOStatus track(const std::string& f, std::unique_ptr<rocksdb::FSWritableFile>* r);
    void wrote(const std::string& f, std::uint64_t bytes);
    void synced(const std::string& f);
    void folder_synced(const std::string& folder);
    bool stopped();

    std::mutex mutex_;
    std::mt19937_64 random_;
    bool stopped_ = false;
    bool ignore_log_syncs_ = false;
    std::uint64_t syncs_ = 0;
    std::map<std::string, Length> files_;
    std::vector<Entry> entries_;  ///< not synced, oldest first
};

}  // namespace ipfscluster::test
