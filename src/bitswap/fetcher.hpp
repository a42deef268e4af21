#pragma once
#include <memory>
#include <string>

#include "base/time.hpp"
#include "multi/cid.hpp"
#include "runtime/async.hpp"

namespace ipfscluster::bitswap {

/// Gets blocks from other peers for one purpose (a pin, a download) and remembers who had them.
/// Owned by that purpose; several fetches may run at once; destroying it with none running
/// withdraws every want. One strand.
class FetchSession {
 public:
    virtual ~FetchSession() = default;
    /// The block's bytes, checked against the CID. Asks connected peers, also those that connect
    /// meanwhile, until `limit` has passed: then `timeout`.
    virtual Async<Bytes> fetch(Cid cid, Duration limit) = 0;
    /// Where it looked, for error texts: "asked 2 connected peers (…)".
    virtual std::string where() const = 0;
};

/// Where a node gets blocks it does not hold. Twins: Bitswap and, for nodes without a network, none
/// at all.
class Fetcher {
 public:
    virtual ~Fetcher() = default;
    virtual std::unique_ptr<FetchSession> session() = 0;
    /// A block has come to be held here; peers that asked for it are told.
    virtual void announce(const Cid& cid) { (void)cid; }
};

}  // namespace ipfscluster::bitswap
