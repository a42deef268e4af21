#pragma once
#include "component/ipfs_connector.hpp"
#include "http/exchange.hpp"

namespace ipfscluster::kubo_rpc {

/// Answers `GET` or `HEAD /ipfs/{cid}/{path}`: the bytes of a file, with one range and an ETag.
Async<> gateway(component::IpfsConnector& ipfs, http::Exchange& e, std::string path);

}  // namespace ipfscluster::kubo_rpc
