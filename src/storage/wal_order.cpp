#include "storage/wal_order.hpp"

#include <mutex>
#include <string>

namespace ipfscluster::storage {

namespace {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

class LogFile;

/// The log that is being written, if any.
struct Current {
    std::mutex mutex;
    LogFile* file = nullptr;
};

class LogFile final : public rocksdb::FSWritableFileWrapper {
 public:
    LogFile(std::shared_ptr<Current> current, std::unique_ptr<rocksdb::FSWritableFile> file)
        : FSWritableFileWrapper(file.get()), current_(std::move(current)), file_(std::move(file)) {
        const std::lock_guard lock(current_->mutex);
        current_->file = this;
    }
    ~LogFile() override { leave(); }
    IOStatus Close(const IOOptions& options, IODebugContext* debug) override {
        leave();
        return FSWritableFileWrapper::Close(options, debug);
    }

 private:
    void leave() {
        const std::lock_guard lock(current_->mutex);
        if (current_->file == this) current_->file = nullptr;
    }
    std::shared_ptr<Current> current_;  // a file may outlive the wrapper that made it
    std::unique_ptr<rocksdb::FSWritableFile> file_;
};

class OrderedFs final : public rocksdb::FileSystemWrapper {
 public:
    explicit OrderedFs(std::shared_ptr<rocksdb::FileSystem> base)
        : FileSystemWrapper(std::move(base)) {}
    const char* Name() const override { return "OrderedFs"; }

    IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                             std::unique_ptr<rocksdb::FSWritableFile>* file,
                             IODebugContext* debug) override {
        if (!name.ends_with(".log"))
            return FileSystemWrapper::NewWritableFile(name, options, file, debug);
        {
            const std::lock_guard lock(current_->mutex);
            if (current_->file) {
                auto synced = current_->file->Sync(options.io_options, debug);
                if (!synced.ok()) return synced;
            }
        }
        auto made = FileSystemWrapper::NewWritableFile(name, options, file, debug);
        if (made.ok()) *file = std::make_unique<LogFile>(current_, std::move(*file));
        return made;
    }

 private:
    std::shared_ptr<Current> current_ = std::make_shared<Current>();
};

}  // namespace

std::shared_ptr<rocksdb::FileSystem> order_wal_files(std::shared_ptr<rocksdb::FileSystem> base) {
    return std::make_shared<OrderedFs>(std::move(base));
}

}  // namespace ipfscluster::storage
