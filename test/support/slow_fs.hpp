#pragma once
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace ipfscluster::test {

/// A file system for RocksDB whose disk is slow: each sync takes a set time, or waits until it is
/// let go. Any thread.
class SlowFs final : public rocksdb::FileSystemWrapper {
 public:
    SlowFs() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
    static const char* kClassName() { return "SlowFs"; }
    const char* Name() const override { return kClassName(); }

    /// Each sync of a file whose name ends so takes this time.
    void set_sync_time(std::string ending, std::chrono::milliseconds time) {
        disk_->ending = std::move(ending);
        disk_->time = time;
    }
    /// From now on syncs of logs do not return, until they are let go.
    void hold_log_syncs(bool on) {
        {
            const std::lock_guard lock(disk_->mutex);
            disk_->held = on;
        }
        disk_->changed.notify_all();
    }

    rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSWritableFile>* file,
                                      rocksdb::IODebugContext* debug) override {
        auto made = target()->NewWritableFile(name, options, file, debug);
        if (made.ok()) *file = std::make_unique<File>(disk_, name, std::move(*file));
        return made;
    }

 private:
    struct Disk {
        std::string ending = "none";  ///< set before the database is opened
        std::chrono::milliseconds time{0};
        std::mutex mutex;
        std::condition_variable changed;
        bool held = false;
    };
    class File final : public rocksdb::FSWritableFileOwnerWrapper {
     public:
        File(std::shared_ptr<Disk> disk, std::string name,
             std::unique_ptr<rocksdb::FSWritableFile>&& file)
            : FSWritableFileOwnerWrapper(std::move(file)),
              disk_(std::move(disk)),
              name_(std::move(name)) {}
        rocksdb::IOStatus Sync(const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override {
            wait();
            return Flush(options, debug);  // nobody cuts the power here
        }
        rocksdb::IOStatus Fsync(const rocksdb::IOOptions& options,
                                rocksdb::IODebugContext* debug) override {
            return Sync(options, debug);
        }

     private:
        void wait() {
            if (name_.ends_with(disk_->ending)) std::this_thread::sleep_for(disk_->time);
            if (!name_.ends_with(".log")) return;
            std::unique_lock lock(disk_->mutex);
            disk_->changed.wait(lock, [this] { return !disk_->held; });
        }
        std::shared_ptr<Disk> disk_;
        std::string name_;
    };
    std::shared_ptr<Disk> disk_ = std::make_shared<Disk>();
};

}  // namespace ipfscluster::test
