#include "storage/wal_order.hpp"

#include <mutex>
#include <string>

namespace ipfscluster::storage {

namespace {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

/// One log: its file, how much of it is on the disk, and what waits for the log before it. Shared
/// by its file, the log after it and the file system. `mutex` is never held over a sync, as the
/// strand takes it for each write; `disk` is, and keeps the file open meanwhile. Order of locks:
/// the later log's before the earlier one's; `passing`, `disk`, `mutex`.
class Log {
 public:
    Log(std::unique_ptr<rocksdb::FSWritableFile> file, std::shared_ptr<Log> before,
        std::shared_ptr<std::atomic<int>> holding)
        : file_(std::move(file)), before_(std::move(before)), holding_(std::move(holding)) {
        if (before_) ++*holding_;
    }
    ~Log() {
        if (before_) --*holding_;
    }

    rocksdb::FSWritableFile* file() { return file_.get(); }

    IOStatus append(const Slice& data, const IOOptions& options, IODebugContext* debug) {
        while (true) {
            {
                const std::lock_guard lock(mutex_);
                if (!before_) {
                    written_ += data.size();
                    return file_->Append(data, options, debug);
                }
                const bool room = held_.size() + data.size() <= kHeldLogBytesMax;
                if (room && !before_->is_whole()) {
                    held_.append(data.data(), data.size());
                    written_ += data.size();
                    return IOStatus::OK();
                }
            }
            auto passed = let_through(options, debug);
            if (!passed.ok()) return passed;
        }
    }

    /// Makes all that was written before the call durable.
    IOStatus sync(const IOOptions& options, IODebugContext* debug, bool whole_file) {
        auto passed = let_through(options, debug);
        if (!passed.ok()) return passed;
        const std::lock_guard open(disk_);
        std::uint64_t target = 0;
        {
            const std::lock_guard lock(mutex_);
            target = written_;
        }
        if (closed_) return IOStatus::OK();
        auto synced = whole_file ? file_->Fsync(options, debug) : file_->Sync(options, debug);
        const std::lock_guard lock(mutex_);
        if (synced.ok()) synced_ = std::max(synced_, target);
        return synced;
    }

    bool is_whole() const {
        const std::lock_guard lock(mutex_);
        return synced_ == written_;
    }

    /// A closed log takes no sync, so one that a later log waits for is synced now.
    IOStatus close(const IOOptions& options, IODebugContext* debug, bool awaited) {
        auto passed =
            awaited && !is_whole() ? sync(options, debug, false) : let_through(options, debug);
        const std::lock_guard open(disk_);
        auto closed = file_->Close(options, debug);
        closed_ = true;
        return passed.ok() ? closed : passed;
    }

    std::uint64_t held_bytes() const {
        const std::lock_guard lock(mutex_);
        return held_.size();
    }

 private:
    /// Syncs the log before this one, then writes what waited. New bytes may come meanwhile; they
    /// are written in their turn.
    IOStatus let_through(const IOOptions& options, IODebugContext* debug) {
        const std::lock_guard one_at_a_time(passing_);
        std::shared_ptr<Log> before;
        {
            const std::lock_guard lock(mutex_);
            before = before_;
        }
        if (!before) return IOStatus::OK();
        // What came after bytes that were not written must not be either.
        if (!failed_.ok()) return failed_;
        if (!before->is_whole()) {
            auto synced = before->sync(options, debug, false);
            if (!synced.ok()) return synced;
            if (!before->is_whole())
                return IOStatus::IOError("the log before was closed before it was on the disk");
        }
        while (true) {
            std::string next;
            {
                const std::lock_guard lock(mutex_);
                next.swap(held_);
                if (next.empty()) {
                    before_ = nullptr;
                    --*holding_;
                    return IOStatus::OK();
                }
            }
            failed_ = file_->Append(next, options, debug);
            if (!failed_.ok()) return failed_;
        }
    }

    std::unique_ptr<rocksdb::FSWritableFile> file_;
    std::mutex passing_;  ///< held while what waited is written
    IOStatus failed_;     ///< what ended that
    std::mutex disk_;     ///< held over a sync and a close
    bool closed_ = false;
    mutable std::mutex mutex_;
    std::shared_ptr<Log> before_;  ///< null once it is on the disk and nothing waits for it
    std::string held_;
    std::uint64_t written_ = 0;
    std::uint64_t synced_ = 0;
    std::shared_ptr<std::atomic<int>> holding_;
};

/// The log that is being written, if any.
struct Current {
    std::mutex mutex;
    std::shared_ptr<Log> log;
};

class LogFile final : public rocksdb::FSWritableFileWrapper {
 public:
    LogFile(std::shared_ptr<Current> current, std::shared_ptr<Log> log)
        : FSWritableFileWrapper(log->file()), current_(std::move(current)), log_(std::move(log)) {}
    ~LogFile() override { leave(); }

    IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
        return log_->append(data, options, debug);
    }
    IOStatus Append(const Slice& data, const IOOptions& options,
                    const rocksdb::DataVerificationInfo& /*checksum*/,
                    IODebugContext* debug) override {
        return log_->append(data, options, debug);
    }
    IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
        return log_->sync(options, debug, false);
    }
    IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
        return log_->sync(options, debug, true);
    }
    std::uint64_t GetFileSize(const IOOptions& options, IODebugContext* debug) override {
        return FSWritableFileWrapper::GetFileSize(options, debug) + log_->held_bytes();
    }
    IOStatus Close(const IOOptions& options, IODebugContext* debug) override {
        const bool last = leave();
        return log_->close(options, debug, !last);
    }

 private:
    /// True when this was the newest log, so that none waits for it.
    bool leave() {
        const std::lock_guard lock(current_->mutex);
        if (current_->log != log_) return false;
        current_->log = nullptr;
        return true;
    }
    std::shared_ptr<Current> current_;  // a file may outlive the file system that made it
    std::shared_ptr<Log> log_;
};

class Ordered final : public OrderedFs {
 public:
    using OrderedFs::OrderedFs;
    const char* Name() const override { return "OrderedFs"; }
    bool holding() const override { return *holding_ > 0; }

    IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                             std::unique_ptr<rocksdb::FSWritableFile>* file,
                             IODebugContext* debug) override {
        auto made = FileSystemWrapper::NewWritableFile(name, options, file, debug);
        if (!made.ok() || !name.ends_with(".log")) return made;
        const std::lock_guard lock(current_->mutex);
        auto before = current_->log;
        if (before && before->is_whole()) before = nullptr;
        current_->log = std::make_shared<Log>(std::move(*file), std::move(before), holding_);
        *file = std::make_unique<LogFile>(current_, current_->log);
        return made;
    }

 private:
    std::shared_ptr<Current> current_ = std::make_shared<Current>();
    std::shared_ptr<std::atomic<int>> holding_ = std::make_shared<std::atomic<int>>(0);
};

}  // namespace

std::shared_ptr<OrderedFs> order_wal_files(std::shared_ptr<rocksdb::FileSystem> base) {
    return std::make_shared<Ordered>(std::move(base));
}

}  // namespace ipfscluster::storage
