#pragma once
#include <functional>
#include <vector>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "multi/multiaddr.hpp"
#include "multi/peer_id.hpp"
#include "runtime/async.hpp"

namespace ipfscluster::net {

/// A peer that says it has some content, with the addresses that were named for it (maybe none).
struct Provider {
    PeerId peer;
    std::vector<Multiaddr> addresses;
};
/// Called on the strand for each provider as it is found; must not block.
using ProviderHandler = std::function<void(Provider)>;

/// Who has what, as a network's distributed hash table knows it. Keys are multihashes. Implemented
/// by BridgeHost and by fakes of tests. One strand.
class ContentRouting {
 public:
    virtual ~ContentRouting() = default;
    /// Tells the peers nearest to `key` that we have it; how many were told. They forget after a
    /// day or two. `unsupported` while no address is known under which others reach us,
    /// `unavailable` when nobody could be told.
    virtual Async<std::size_t> provide(Bytes key, Duration limit) = 0;
    /// Ends after `most` providers or when nobody else can be asked; how many there were. What was
    /// found before a `timeout` has been told all the same.
    virtual Async<std::size_t> find_providers(Bytes key, std::size_t most, Duration limit,
                                              ProviderHandler found) = 0;
};

}  // namespace ipfscluster::net
