#pragma once
#include <deque>
#include <functional>
#include <set>

#include "multi/cid.hpp"
#include "net/content_routing.hpp"
#include "runtime/signal.hpp"
#include "runtime/source.hpp"
#include "runtime/task_group.hpp"
#include "runtime/world.hpp"

namespace ipfscluster::pubnet {

/// Blocks waiting to be told of. Beyond it the round waits; a new pin is left to the next round.
inline constexpr std::size_t kProvideQueueMax = 4096;
inline constexpr std::size_t kProvidesMax = 4;  ///< told of at a time
inline constexpr std::chrono::seconds kProvideLimit{60};
/// Pause while others cannot reach us or nobody can be told.
inline constexpr std::chrono::seconds kProvideRetry{5};
inline constexpr std::chrono::seconds kProvideRetryMax{60};

/// What is told anew in each round, one multihash after the other.
using KeySource = std::function<SourcePtr<Bytes>()>;

/// Tells the hash table what we have: everything once per `interval` (the network forgets), and
/// what is new at once. Owned by PublicNetwork; `start` before, `stop` after use; one strand.
class Reprovider {
 public:
    Reprovider(World& world, net::ContentRouting& routing, KeySource keys, Duration interval);

    void start();
    Async<> stop() { return tasks_.stop(); }

    /// Something new. Never waits.
    void add(const Cid& cid);

    std::uint64_t told() const { return told_; }
    std::size_t waiting() const { return queue_.size(); }

 private:
    asio::awaitable<void> rounds();
    Async<> round();
    asio::awaitable<void> worker();
    bool push(Bytes multihash);

    World& world_;
    net::ContentRouting& routing_;
    KeySource keys_;
    Duration interval_;
    TaskGroup tasks_;
    Signal more_, room_;
    std::deque<Bytes> queue_;
    std::set<Bytes> queued_;
    std::uint64_t told_ = 0, failed_ = 0;
    bool overflowed_ = false, held_up_ = false;
};

}  // namespace ipfscluster::pubnet
