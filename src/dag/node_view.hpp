#pragma once
#include <vector>

#include "dag/block.hpp"
#include "dag/dag_pb.hpp"
#include "dag/hamt.hpp"

namespace ipfscluster::dag {

/// What one block is to a reader of files and directories. A plain value.
struct NodeView {
    enum class Type {
        file,            ///< content inline in `data`, then that of the links
        directory,       ///< links are the entries
        hamt_directory,  ///< links are entries and sub-shards of `shard`
        symlink,         ///< `data` is the target
        other,           ///< dag-pb without UnixFS, or another codec: only links, if any
    };
    Type type = Type::other;
    Bytes data;
    std::vector<PbLink> links;               ///< of files, directories and dag-pb others
    std::vector<std::uint64_t> block_sizes;  ///< of files: content bytes under each link
    std::uint64_t file_size = 0;             ///< of files: all content; of symlinks: of the target
    HamtShard shard;                         ///< of HAMT directories

    bool is_directory() const { return type == Type::directory || type == Type::hamt_directory; }
};

/// Decodes a block by its CID's codec. A raw block is a file. `corrupt` when a UnixFS node
/// contradicts itself: sizes that do not add up, or another number of sizes than of links.
Result<NodeView> view_node(const Cid& cid, Bytes block);

/// Cumulative size of a node: its block and what its links claim.
std::uint64_t cumulative_size(const NodeView& node, std::size_t block_size);

}  // namespace ipfscluster::dag
