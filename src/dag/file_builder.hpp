#pragma once
#include <memory>
#include <vector>

#include "dag/block.hpp"
#include "dag/chunker.hpp"

namespace ipfscluster::dag {

/// Links per file node, in both layouts (Kubo's default).
inline constexpr std::size_t kFileLinksMax = 174;

enum class Layout { balanced, trickle };

/// How the bytes of a file become a DAG. A plain value.
struct FileOptions {
    ChunkerSpec chunker;
    Layout layout = Layout::balanced;
    bool raw_leaves = false;  ///< leaves are raw blocks instead of UnixFS nodes
    CidBuilder cids;
};

/// A finished file or directory: what a link to it needs.
struct DagNodeInfo {
    Cid cid;
    std::uint64_t tsize =
        0;  ///< cumulative size: its block and, per link, what is below (as `ipfs add` says)
    std::uint64_t file_size = 0;  ///< bytes of content; 0 for directories
};

/// Joins leaves, given in order, into one root. Holds the links of one open node per level only.
class LayoutBuilder {
 public:
    virtual ~LayoutBuilder() = default;
    virtual Result<> add_leaf(DagNodeInfo leaf) = 0;
    /// The root of everything added; the builder is empty again.
    virtual Result<DagNodeInfo> finish() = 0;
};
/// `sink` and `options` outlive the builder. Both give an error of the sink back.
std::unique_ptr<LayoutBuilder> make_balanced_builder(const FileOptions& options,
                                                     const BlockSink& sink);
std::unique_ptr<LayoutBuilder> make_trickle_builder(const FileOptions& options,
                                                    const BlockSink& sink);

/// Writes the inner node over `children` to the sink.
Result<DagNodeInfo> seal_file_node(const std::vector<DagNodeInfo>& children, const CidBuilder& cids,
                                   const BlockSink& sink);

/// Builds one file after another from bytes as they come: no I/O, memory of one chunk and of the
/// open nodes (depth × 174 links) whatever the file's size. Owned by an Importer; any one strand.
/// After an error it must not be used again.
class FileBuilder {
 public:
    FileBuilder(FileOptions options, BlockSink sink);
    FileBuilder(const FileBuilder&) = delete;
    FileBuilder& operator=(const FileBuilder&) = delete;

    Result<> write(BytesView data);
    /// Ends the file; the next write begins another one.
    Result<DagNodeInfo> finish();

 private:
    Result<> add_chunk(BytesView chunk);

    FileOptions options_;
    BlockSink sink_;
    ChunkSink on_chunk_;
    std::unique_ptr<Chunker> chunker_;
    std::unique_ptr<LayoutBuilder> layout_;
    bool any_chunk_ = false;
};

}  // namespace ipfscluster::dag
