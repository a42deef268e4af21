#pragma once
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "http/multipart_writer.hpp"
#include "runtime/source.hpp"
#include "runtime/world.hpp"

namespace ipfscluster::ctl {

/// One thing the user named: a path of the machine ("-" is standard input) and its name in the
/// upload.
struct UploadRoot {
    std::string path;
    std::string name;
};

/// The name a path gets: its last part; "." and ".." are looked up first. `invalid` for "/".
Result<std::string> upload_name(const std::string& path);

/// Whether the path is there and may be read, so that a wrong one fails before anything is sent.
Result<> check_readable(const std::string& path);

/// Sum of the sizes of all regular files under the roots; what cannot be read counts as nothing.
std::uint64_t measure_upload(const std::vector<UploadRoot>& roots, bool hidden);

/// The first root that is a directory; empty when there is none.
std::string first_folder(const std::vector<UploadRoot>& roots);

/// Walks files and directories depth first, names sorted, and writes them as the multipart body of
/// `POST /add` (reference/http 4.1). Symbolic links are sent as links. Holds one open file and the
/// names of the directories on the way down. Blocking: call it on a worker thread, one call at a
/// time.
class UploadReader {
 public:
    UploadReader(std::vector<UploadRoot> roots, bool hidden, http::MultipartWriter writer);
    UploadReader(const UploadReader&) = delete;
    UploadReader& operator=(const UploadReader&) = delete;
    ~UploadReader();

    /// Appends about `target` bytes of the body; false when the end has been written. An error
    /// names the path and ends the upload.
    Result<bool> fill(Bytes& out, std::size_t target);
    /// Bytes of file content read so far.
    std::uint64_t content_bytes() const { return content_bytes_; }

 private:
    struct Folder {
        UploadRoot self;
        std::vector<std::string> children;
        std::size_t next = 0;
    };
    Result<> begin(const UploadRoot& entry, Bytes& out);
    Result<> begin_folder(const UploadRoot& entry, Bytes& out);
    Result<> read_file(Bytes& out, std::size_t target);
    void close_file();

    std::vector<UploadRoot> roots_;
    bool hidden_;
    http::MultipartWriter writer_;
    std::size_t next_root_ = 0;
    std::vector<Folder> folders_;
    int file_ = -1;
    std::string file_path_;
    std::uint64_t content_bytes_ = 0;
    bool closed_ = false;
};

/// Pulls an UploadReader on a worker thread. Shares it, because a cancelled read may end after us.
class UploadSource final : public Source<Bytes> {
 public:
    UploadSource(World& world, std::shared_ptr<UploadReader> reader)
        : world_(world), reader_(std::move(reader)) {}
    Async<std::optional<Bytes>> next() override;

 private:
    World& world_;
    std::shared_ptr<UploadReader> reader_;
    bool ended_ = false;
};

}  // namespace ipfscluster::ctl
