#pragma once
#include "api/adding/add_params.hpp"

namespace ipfscluster::ipfsproxy {

/// The query of Kubo's `add`, whose keys are mostly the cluster's own (reference/http 4.2, 5.6);
/// the cluster's others (`replication-min`, …) work too. `invalid` names an option that is wrong,
/// and one that would make other content than the cluster's importer makes. Pure.
Result<adding::AddQuery> parse_kubo_add(const codec::Query& query, Time now);

}  // namespace ipfscluster::ipfsproxy
