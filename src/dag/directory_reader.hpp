#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dag/block_reader.hpp"
#include "dag/node_view.hpp"
#include "runtime/source.hpp"

namespace ipfscluster::dag {

struct DirectoryEntry {
    std::string name;
    Cid cid;
    std::uint64_t tsize = 0;
};

/// Streams the entries of a basic or HAMT directory: by name for a basic one, by hash for a HAMT.
/// Holds the links of one shard per level. Owned by one request; one strand; the BlockReader
/// outlives it.
class DirectoryReader final : public Source<DirectoryEntry> {
 public:
    /// Reads the root. `invalid` when it is not a directory.
    static Async<std::unique_ptr<DirectoryReader>> open(BlockReader& blocks, Cid root);
    Async<std::optional<DirectoryEntry>> next() override;

 private:
    struct Frame {
        std::vector<PbLink> links;
        std::size_t prefix_size = 0;  // 0: a basic directory
        std::size_t bits_used = 0;    // of the hash, down to and with this shard
        std::size_t index = 0;
    };
    explicit DirectoryReader(BlockReader& blocks) : blocks_(blocks) {}
    void enter(NodeView node, std::size_t bits_used);

    BlockReader& blocks_;
    std::vector<Frame> path_;
};

/// The entry called `name` in a directory node, going down the shards of a HAMT; for a dag-pb node
/// that is not UnixFS, the link of that name. `not_found` names both.
Async<Cid> find_entry(BlockReader& blocks, Cid directory, NodeView node, std::string name);

}  // namespace ipfscluster::dag
