#pragma once
#include <optional>
#include <vector>

#include "dag/block.hpp"

namespace ipfscluster::dag {

/// One link of a dag-pb node.
struct PbLink {
    Cid cid;
    std::string name;
    std::uint64_t tsize = 0;  ///< cumulative size of what it points to, as its maker claimed
    bool has_name = true;     ///< false: the field is left out, which UnixFS never does
    bool has_tsize = true;
};

/// A dag-pb node (https://ipld.io/specs/codecs/dag-pb/spec/). A plain value.
struct PbNode {
    std::vector<PbLink> links;
    std::optional<Bytes> data;
};

/// Canonical bytes: links first, in the given order, each with Hash, Name and Tsize (unless
/// absent), then Data. Directories must have their links sorted by name before.
Bytes encode_dag_pb(const PbNode& node);
/// The same from a view of the data; no copy of it besides the result.
Bytes encode_dag_pb(const std::vector<PbLink>& links, BytesView data);

/// Reads a node as strictly as the reference decoder: no unknown fields, no field twice, every link
/// with a CID. Links after Data and unsorted links are accepted, as old nodes have them. `corrupt`
/// says why.
Result<PbNode> decode_dag_pb(BytesView block);

}  // namespace ipfscluster::dag
