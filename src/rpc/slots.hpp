#pragma once
#include <algorithm>
#include <map>
#include <memory>

#include "multi/peer_id.hpp"
#include "runtime/signal.hpp"

namespace ipfscluster::rpc {

/// Counts the streams we have open to each peer and makes callers wait at the bound. One strand.
class Slots {
 public:
    Slots(asio::any_io_executor executor, std::size_t per_peer_max)
        : executor_(std::move(executor)), max_(per_peer_max) {}

    /// Destroying it gives the place to the next who waits. Holds no pointer to Slots.
    using Slot = std::shared_ptr<void>;
    /// First come, first served; `cancelled` when the waiting coroutine is.
    Async<Slot> acquire(PeerId peer);
    std::size_t in_use(const PeerId& peer) const;
    std::size_t peers() const {
        return static_cast<std::size_t>(std::count_if(
            peers_.begin(), peers_.end(), [](const auto& each) { return !each.second.expired(); }));
    }

 private:
    struct Peer {
        explicit Peer(asio::any_io_executor executor) : freed(std::move(executor)) {}
        std::size_t used = 0;
        std::size_t waiting = 0;
        Signal freed;
    };
    asio::any_io_executor executor_;
    std::size_t max_;
    std::map<PeerId, std::weak_ptr<Peer>> peers_;
};

}  // namespace ipfscluster::rpc
