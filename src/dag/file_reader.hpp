#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "dag/block_reader.hpp"
#include "dag/node_view.hpp"
#include "runtime/source.hpp"

namespace ipfscluster::dag {

/// Levels of a file's DAG accepted when reading; ours need 4 for a petabyte.
inline constexpr std::size_t kFileDepthMax = 64;

struct ByteRange {
    std::uint64_t offset = 0;
    std::optional<std::uint64_t> length;  ///< to the end when not given
};

/// Streams the content of a UnixFS file of any layout, or a part of it, skipping subtrees outside
/// the part. Each `next` gives at most one block's content. Holds the links on the path to the
/// current block. Owned by one request; one strand; the BlockReader outlives it.
class FileReader final : public Source<Bytes> {
 public:
    /// Reads the root. `invalid` when it is not a file, or when the range starts beyond its end.
    static Async<std::unique_ptr<FileReader>> open(BlockReader& blocks, Cid root, ByteRange range);

    /// Bytes of the whole file.
    std::uint64_t file_size() const { return file_size_; }
    /// `corrupt` when a block contradicts its parent; errors of the BlockReader pass through.
    /// Nothing after the last byte of the range.
    Async<std::optional<Bytes>> next() override;

 private:
    struct Frame {
        std::vector<PbLink> links;
        std::vector<std::uint64_t> sizes;
        std::size_t index = 0;   // of the next child
        std::size_t hinted = 0;  // children already given to prefetch
        std::uint64_t at = 0;    // where the next child's content begins in the file
    };

    FileReader(BlockReader& blocks, std::uint64_t file_size, std::uint64_t begin, std::uint64_t end)
        : blocks_(blocks), file_size_(file_size), begin_(begin), end_(end) {}

    /// Takes in a node whose content starts at `at`.
    void enter(NodeView node, std::uint64_t at);
    /// The next child that overlaps the range, or nothing at the end.
    struct Child {
        Cid cid;
        std::uint64_t at;
        std::uint64_t size;
    };
    std::optional<Child> advance();
    void hint(Frame& frame);

    BlockReader& blocks_;
    std::uint64_t file_size_;
    std::uint64_t begin_;
    std::uint64_t end_;
    std::vector<Frame> path_;
    Bytes piece_;  // content ready to be given out
};

}  // namespace ipfscluster::dag
