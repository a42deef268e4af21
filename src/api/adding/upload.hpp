#pragma once
#include "api/adding/add_reply.hpp"
#include "component/cluster_api.hpp"

namespace ipfscluster::adding {

/// Reads the multipart body of `exchange` (reference/http 4.1; `boundary` from its content type)
/// into `session`, part by part, and hands what becomes ready to `reply`. Returns after the session
/// has finished: everything is stored and pinned. `invalid` or `corrupt` for a body that is none.
Async<> upload(http::Exchange& exchange, std::string boundary, component::AddSession& session,
               AddReply& reply);

}  // namespace ipfscluster::adding
