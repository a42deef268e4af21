#pragma once
#include "component/ipfs_connector.hpp"
#include "http/exchange.hpp"

namespace ipfscluster::content {

/// How a surface says that it cannot serve; nothing has been sent before.
using SendFailure = Async<> (*)(http::Exchange& exchange, int status, std::string message);

/// Answers `GET` or `HEAD` of `path` ("/ipfs/{cid}/…"): a file, with one range and an ETag, or with
/// `?format=tar` an archive of whatever is there. A failure before the first bytes are at hand goes
/// to `fail_with`: 404 for a missing name, 400 for what cannot be a file, 416 for a range, 504 for
/// content that does not come in time. A later one cuts a file short and marks an archive as
/// damaged.
Async<> serve(component::IpfsConnector& ipfs, http::Exchange& exchange, std::string path,
              SendFailure fail_with);

}  // namespace ipfscluster::content
