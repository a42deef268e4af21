#pragma once
#include <vector>

#include "dag/block.hpp"

namespace ipfscluster::dag {

/// Nesting accepted in DAG-CBOR from outside.
inline constexpr int kCborDepthMax = 128;

/// All links (tag 42) of a DAG-CBOR block in the order they stand. `corrupt` for anything that is
/// not one whole item of definite lengths with well formed links. Values themselves are not
/// interpreted.
Result<std::vector<Cid>> dag_cbor_links(BytesView block);

/// A map from the texts "0", "1", … to links, canonical (keys shorter first, then bytewise): the
/// nodes of a sharding DAG.
Bytes encode_link_map(const std::vector<Cid>& links);
/// The reverse; `corrupt` when the keys are not exactly "0" … "n−1" in canonical order.
Result<std::vector<Cid>> decode_link_map(BytesView block);

/// The header of a CAR v1 file: a map with `roots` and `version` 1.
Bytes encode_car_header(const std::vector<Cid>& roots);
/// `unsupported` for another version, `corrupt` for anything else.
Result<std::vector<Cid>> decode_car_header(BytesView header);

}  // namespace ipfscluster::dag
