#pragma once
#include "codec/pin_query.hpp"
#include "component/cluster_api.hpp"

namespace ipfscluster::adding {

/// The query of `POST /add` (reference/http 4.2).
struct AddQuery {
    component::AddParams params;
    bool stream = true;  ///< `stream-channels`
};

/// `invalid` names the parameter. What only the importer can judge (chunker, hash, CID version)
/// passes.
Result<AddQuery> parse_add_query(const codec::Query& query, Time now);

}  // namespace ipfscluster::adding
