#include "support/dropping_fs.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

namespace ipfscluster::test {

namespace fs = std::filesystem;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

namespace {
IOStatus power_off() {
    return IOStatus::IOError("the power is off");
}

std::string folder_of(const std::string& file) {
    return fs::path(file).parent_path().lexically_normal();
}

std::string read_whole(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}
}  // namespace

class DroppingFs::File final : public rocksdb::FSWritableFileWrapper {
 public:
    File(DroppingFs& owner, std::string name, std::unique_ptr<rocksdb::FSWritableFile> file)
        : FSWritableFileWrapper(file.get()),
          owner_(owner),
          name_(std::move(name)),
          file_(std::move(file)) {}

    IOStatus Append(const Slice& data, const IOOptions& o, IODebugContext* d) override {
        if (owner_.stopped()) return power_off();
        auto status = file_->Append(data, o, d);
        if (status.ok()) owner_.wrote(name_, data.size());
        return status;
    }
    IOStatus Append(const Slice& data, const IOOptions& o, const rocksdb::DataVerificationInfo&,
                    IODebugContext* d) override {
        return Append(data, o, d);
    }
    IOStatus Sync(const IOOptions& o, IODebugContext* d) override {
        if (owner_.stopped()) return power_off();
        auto status =
            file_->Flush(o, d);  // the page cache survives in this process; no need for a real sync
        if (status.ok()) owner_.synced(name_);
        return status;
    }
    IOStatus Fsync(const IOOptions& o, IODebugContext* d) override { return Sync(o, d); }
    IOStatus RangeSync(std::uint64_t, std::uint64_t, const IOOptions&, IODebugContext*) override {
        return IOStatus::OK();  // only a hint: promises nothing
    }
    IOStatus Truncate(std::uint64_t size, const IOOptions& o, IODebugContext* d) override {
        if (owner_.stopped()) return IOStatus::OK();
        return file_->Truncate(size, o, d);
    }

 private:
    DroppingFs& owner_;
    std::string name_;
    std::unique_ptr<rocksdb::FSWritableFile> file_;
};

class DroppingFs::Folder final : public rocksdb::FSDirectoryWrapper {
 public:
    Folder(DroppingFs& owner, std::string name, std::unique_ptr<rocksdb::FSDirectory> folder)
        : FSDirectoryWrapper(std::move(folder)), owner_(owner), name_(std::move(name)) {}
    IOStatus Fsync(const IOOptions&, IODebugContext*) override {
        if (owner_.stopped()) return power_off();
        owner_.folder_synced(name_);
        return IOStatus::OK();
    }
    IOStatus FsyncWithDirOptions(const IOOptions& o, IODebugContext* d,
                                 const rocksdb::DirFsyncOptions&) override {
        return Fsync(o, d);
    }

 private:
    DroppingFs& owner_;
    std::string name_;
};

DroppingFs::DroppingFs(std::uint64_t seed)
    : FileSystemWrapper(rocksdb::FileSystem::Default()), random_(seed) {}

bool DroppingFs::stopped() {
    const std::lock_guard lock(mutex_);
    return stopped_;
}

void DroppingFs::stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
}

void DroppingFs::ignore_log_syncs(bool on) {
    const std::lock_guard lock(mutex_);
    ignore_log_syncs_ = on;
}

void DroppingFs::wrote(const std::string& f, std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    files_[f].written += bytes;
}

void DroppingFs::synced(const std::string& f) {
    const std::lock_guard lock(mutex_);
    ++syncs_;
    if (!ignore_log_syncs_ || !f.ends_with(".log")) files_[f].synced = files_[f].written;
}

void DroppingFs::folder_synced(const std::string& folder) {
    const std::lock_guard lock(mutex_);
    const auto name = fs::path(folder + "/x").parent_path().lexically_normal().string();
    std::erase_if(entries_, [&](const Entry& e) { return folder_of(e.name) == name; });
}

IOStatus DroppingFs::track(const std::string& f, std::unique_ptr<rocksdb::FSWritableFile>* r) {
    *r = std::make_unique<File>(*this, f, std::move(*r));
    return IOStatus::OK();
}

IOStatus DroppingFs::NewWritableFile(const std::string& f, const rocksdb::FileOptions& o,
                                     std::unique_ptr<rocksdb::FSWritableFile>* r,
                                     IODebugContext* d) {
    if (stopped()) return power_off();
    auto status = target()->NewWritableFile(f, o, r, d);
    if (!status.ok()) return status;
    const std::lock_guard lock(mutex_);
    files_[f] = {};
    entries_.push_back({f, std::nullopt});
    return track(f, r);
}

IOStatus DroppingFs::ReopenWritableFile(const std::string& f, const rocksdb::FileOptions& o,
                                        std::unique_ptr<rocksdb::FSWritableFile>* r,
                                        IODebugContext* d) {
    if (stopped()) return power_off();
    auto status = target()->ReopenWritableFile(f, o, r, d);
    if (!status.ok()) return status;
    const std::lock_guard lock(mutex_);
    const auto size = fs::file_size(f);
    files_.try_emplace(f, Length{size, size});
    return track(f, r);
}

IOStatus DroppingFs::NewDirectory(const std::string& name, const IOOptions& o,
                                  std::unique_ptr<rocksdb::FSDirectory>* r, IODebugContext* d) {
    auto status = target()->NewDirectory(name, o, r, d);
    if (status.ok()) *r = std::make_unique<Folder>(*this, name, std::move(*r));
    return status;
}

IOStatus DroppingFs::DeleteFile(const std::string& f, const IOOptions& o, IODebugContext* d) {
    if (stopped()) return power_off();
    auto status = target()->DeleteFile(f, o, d);
    const std::lock_guard lock(mutex_);
    files_.erase(f);
    std::erase_if(entries_, [&](const Entry& e) { return e.name == f; });
    return status;
}

IOStatus DroppingFs::RenameFile(const std::string& s, const std::string& t, const IOOptions& o,
                                IODebugContext* d) {
    if (stopped()) return power_off();
    const std::lock_guard lock(mutex_);
    Entry entry{t, std::nullopt};
    if (fs::exists(t)) entry.replaced = read_whole(t);
    auto status = target()->RenameFile(s, t, o, d);
    if (!status.ok()) return status;
    if (const auto it = files_.find(s); it != files_.end()) {
        files_[t] = it->second;
        files_.erase(s);
    }
    std::erase_if(entries_, [&](const Entry& e) { return e.name == s; });
    entries_.push_back(std::move(entry));
    return status;
}

void DroppingFs::crash() {
    const std::lock_guard lock(mutex_);
    for (auto& [name, length] : files_) {
        if (length.written <= length.synced || !fs::exists(name)) continue;
        // A disk may have written any part of what it was not told to keep; most often nothing
        // or everything, and of each file something else.
        const auto loose = length.written - length.synced;
        const auto luck = random_() % 4;
        const auto kept = luck < 2 ? 0 : luck == 2 ? loose : random_() % (loose + 1);
        fs::resize_file(name, length.synced + kept);
    }
    // Folders are journalled: what came later is not there without what came before.
    for (auto undo = random_() % (entries_.size() + 1); undo > 0; --undo) {
        const auto& entry = entries_.back();
        if (entry.replaced)
            std::ofstream(entry.name, std::ios::binary | std::ios::trunc) << *entry.replaced;
        else
            fs::remove(entry.name);
        entries_.pop_back();
    }
    files_.clear();
    entries_.clear();
    stopped_ = false;
}

}  // namespace ipfscluster::test
