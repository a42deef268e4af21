#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "dag/block_reader.hpp"
#include "dag/node_view.hpp"

namespace ipfscluster::dag {

/// Segments below a CID accepted in one path.
inline constexpr std::size_t kPathSegmentsMax = 256;

/// A root and the names below it.
struct IpfsPath {
    Cid root;
    std::vector<std::string> segments;
};

/// `/ipfs/CID/a/b` or `CID/a/b`, already percent-decoded; empty segments are ignored. `invalid`
/// names what is wrong (`/ipns/`, and `/ipld/` beyond a CID, are `unsupported`).
Result<IpfsPath> parse_ipfs_path(std::string_view path);

/// What a path leads to: the CID and its decoded block.
struct Resolved {
    Cid cid;
    NodeView node;
    std::size_t block_size = 0;
};

/// Walks the names from the root through basic and HAMT directories and plain dag-pb links;
/// symbolic links are not followed. `not_found` names the missing link and where; errors of the
/// BlockReader pass through.
Async<Resolved> resolve_path(BlockReader& blocks, IpfsPath path);

}  // namespace ipfscluster::dag
