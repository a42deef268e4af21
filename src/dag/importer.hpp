#pragma once
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "dag/directory_builder.hpp"
#include "dag/import_options.hpp"

namespace ipfscluster::dag {

/// Directories one import may have; each is remembered (about 100 bytes and its name) until its top
/// entry ends, since directories are reported after all files.
inline constexpr std::size_t kImportDirectoriesMax = 1'000'000;
/// Directories inside each other.
inline constexpr std::size_t kImportDepthMax = 256;

/// What an import reports. A finished node has a CID; a progress report has none, `bytes` of the
/// file so far, and as name the path below the top entry ("" for a lone file).
struct AddedEntry {
    std::string name;
    Cid cid;
    std::uint64_t size = 0;  ///< cumulative DAG size, as `ipfs add` says
    std::uint64_t bytes = 0;
};

/// Receives blocks and reports in the order they are made, during the importer's calls. It cannot
/// wait: it puts them into a small vector, which the caller drains (and there feels backpressure)
/// after each call. With writes of at most 256 KiB a call makes few blocks, except the end of a
/// directory, which makes its HAMT shards (up to some 256 KiB of block per 2,500 entries).
class ImportSink {
 public:
    virtual ~ImportSink() = default;
    virtual Result<> on_block(Block&& block) = 0;
    virtual Result<> on_entry(AddedEntry&& entry) = 0;
};

/// Turns a depth-first sequence of files, links and directories (the parts of an add request) into
/// UnixFS DAGs with Kubo's CIDs. Paths are cleaned; missing directories are implied. Files are
/// reported when done; the directories of a top entry after its last file, children first and
/// sorted by name. Each top entry has its own root unless wrapped; the last one's root is the
/// import's root. No I/O; memory: one chunk, the open nodes of one file, the entries of the
/// directories on the current path. Owned by one request; any one strand. After an error it must
/// not be used again.
class Importer {
 public:
    /// `sink` outlives the importer.
    Importer(ImportOptions options, ImportSink& sink);
    Importer(const Importer&) = delete;
    Importer& operator=(const Importer&) = delete;

    /// A directory may be named before, or not at all if it has entries.
    Result<> add_directory(std::string_view path);
    Result<> add_symlink(std::string_view path, BytesView target);
    /// begin_file, any number of writes (best ≤ 256 KiB each), end_file.
    Result<> begin_file(std::string_view path);
    Result<> write(BytesView data);
    Result<> end_file();
    /// Ends the import and gives the root. `invalid` when there was no entry at all.
    Result<DagNodeInfo> finish();

 private:
    /// A directory on the current path.
    struct OpenDirectory {
        std::string name;
        std::size_t record;  // in records_
        DirectoryBuilder builder;
    };
    /// A directory of the current top entry, kept for the final reports.
    struct Record {
        std::string name;
        std::size_t parent;
        DagNodeInfo node;
    };
    static constexpr std::size_t kNoParent = static_cast<std::size_t>(-1);

    using Parts = std::vector<std::string_view>;

    Result<> enter(const Parts& directories);
    Result<> open_directory(std::string_view name);
    Result<> close_directory();
    Result<> close_until(std::size_t depth);
    Result<> add_node(const std::string& path, const DagNodeInfo& node);
    Result<> report_directories();
    Result<> report_subtree(std::size_t record, const std::string& path,
                            const std::vector<std::vector<std::size_t>>& children);
    Result<> report_progress();

    ImportOptions options_;
    ImportSink& sink_;
    BlockSink block_sink_;
    FileBuilder file_;
    std::vector<OpenDirectory> open_;
    std::vector<Record> records_;
    std::set<std::string, std::less<>> ended_tops_;
    DagNodeInfo root_;

    bool in_file_ = false;
    std::string file_path_;
    std::uint64_t file_bytes_ = 0;
    std::uint64_t reported_bytes_ = 0;
};

}  // namespace ipfscluster::dag
