#pragma once
#include <map>
#include <memory>

#include "bitswap/message.hpp"
#include "net/host.hpp"
#include "runtime/task_group.hpp"

namespace ipfscluster::bitswap {

/// Want entries sent in one message.
inline constexpr std::size_t kWantsPerMessageMax = 256;
inline constexpr std::chrono::seconds kLinkOpenMax{10};
inline constexpr std::chrono::seconds kLinkWriteMax{30};
/// A peer that could not be reached is left alone this long.
inline constexpr std::chrono::seconds kLinkPause{10};

/// What we still have to tell one peer of our wants, and the one long-lived stream for it. Shared
/// by the client and its own sending task; one strand.
class WantLink : public std::enable_shared_from_this<WantLink> {
 public:
    /// `unreachable` is called when what was queued could not be delivered.
    WantLink(World& world, net::Host& host, TaskGroup& tasks, PeerId peer,
             std::function<void(const PeerId&)> unreachable);

    /// Queues an entry; a later one for the same CID replaces it.
    void send(WantEntry entry);
    /// False shortly after a failure.
    bool usable() const { return world_.steady_now() >= paused_until_; }
    /// Forgets queue and stream: the connection has ended.
    void reset();

 private:
    static asio::awaitable<void> run(std::shared_ptr<WantLink> self);
    Async<> deliver();

    World& world_;
    net::Host& host_;
    TaskGroup& tasks_;
    PeerId peer_;
    std::function<void(const PeerId&)> unreachable_;
    std::map<Cid, WantEntry> queue_;
    net::StreamPtr stream_;
    bool running_ = false;
    SteadyTime paused_until_{};
};

}  // namespace ipfscluster::bitswap
