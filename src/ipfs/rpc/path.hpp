#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "dag/block_reader.hpp"

namespace ipfscluster::ipfs_rpc {

/// A path as Kubo's commands take it. A plain value.
struct ContentPath {
    bool ipld = false;  ///< /ipld/…: dag-pb nodes are seen as data, not as files
    Cid root;
    std::vector<std::string> segments;
    /// The canonical text, "/ipfs/CID/…", with the root as it was given.
    std::string text;
};

/// `/ipfs/CID/a`, `/ipld/CID/a`, `CID/a`, `ipfs://CID/a` or `ipfs:CID/a`. `invalid` with Kubo's
/// words; /ipns/ is `unsupported`.
Result<ContentPath> parse_content_path(std::string_view text);

/// Where a path leads: a block, and the names inside it that are left.
struct Target {
    Cid cid;
    std::vector<std::string> rest;
};

/// Follows the names through directories, links of dag-pb, and the data of dag-cbor and dag-json. A
/// path without names is not looked at. `not_found` in Kubo's words.
Async<Target> resolve_path(dag::BlockReader& blocks, ContentPath path);
/// The same for a path that must lead to a whole block.
Async<Cid> resolve_to_block(dag::BlockReader& blocks, std::string argument);

}  // namespace ipfscluster::ipfs_rpc
