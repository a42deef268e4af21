#pragma once
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <atomic>
#include <memory>
#include <string>

namespace ipfscluster::test {

/// A file system for RocksDB on a disk that can be full: then no file takes another byte, the
/// database's own log of what it does neither. Any thread.
class FullFs final : public rocksdb::FileSystemWrapper {
 public:
    FullFs() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
    static const char* kClassName() { return "FullFs"; }
    const char* Name() const override { return kClassName(); }

    void set_full(bool full) { *full_ = full; }

    rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSWritableFile>* file,
                                      rocksdb::IODebugContext* debug) override {
        auto made = target()->NewWritableFile(name, options, file, debug);
        if (made.ok()) *file = std::make_unique<File>(full_, std::move(*file));
        return made;
    }
    /// On a file of ours; the wrapper would take one of the file system below.
    rocksdb::IOStatus NewLogger(const std::string& name, const rocksdb::IOOptions& options,
                                std::shared_ptr<rocksdb::Logger>* made,
                                rocksdb::IODebugContext* debug) override {
        return FileSystem::NewLogger(name, options, made, debug);
    }

 private:
    class File final : public rocksdb::FSWritableFileOwnerWrapper {
     public:
        File(std::shared_ptr<std::atomic<bool>> full,
             std::unique_ptr<rocksdb::FSWritableFile>&& file)
            : FSWritableFileOwnerWrapper(std::move(file)), full_(std::move(full)) {}
        rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                                 rocksdb::IODebugContext* debug) override {
            if (*full_) return rocksdb::IOStatus::NoSpace("the disk is full");
            return FSWritableFileOwnerWrapper::Append(data, options, debug);
        }
        rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                                 const rocksdb::DataVerificationInfo& /*checksum*/,
                                 rocksdb::IODebugContext* debug) override {
            return Append(data, options, debug);
        }

     private:
        std::shared_ptr<std::atomic<bool>> full_;
    };

    std::shared_ptr<std::atomic<bool>> full_ = std::make_shared<std::atomic<bool>>(false);
};

}  // namespace ipfscluster::test
