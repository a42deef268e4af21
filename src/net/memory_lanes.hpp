#pragma once
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "multi/peer_id.hpp"
#include "runtime/world.hpp"

namespace ipfscluster::net {

/// How a link treats what is sent over it. Links are reliable and ordered, as TCP is: a lost packet
/// only comes later. Gossip really loses messages, as full queues make it in production.
struct LinkFaults {
    Duration delay_low{0};
    Duration delay_high{0};
    std::uint32_t loss_one_in = 0;  ///< 0: never; else one in so many packets is sent again
    Duration resend_delay = std::chrono::milliseconds(200);
    std::uint32_t gossip_loss_one_in = 0;  ///< 0: never
    std::uint64_t bytes_per_second = 0;    ///< each direction carries so much; 0: any amount
};

/// The wires between simulated hosts: one ordered lane for each direction of each pair. What is
/// sent over a cut lane waits until it is healed. Time and chance come from the World, so the same
/// seed gives the same run. Owned by MemoryNetwork and its deliveries; the world's strand.
class MemoryLanes : public std::enable_shared_from_this<MemoryLanes> {
 public:
    explicit MemoryLanes(World& world) : world_(world) {}

    /// `bytes`: what it weighs on the link.
    void send(const PeerId& from, const PeerId& to, std::function<void()> deliver,
              std::size_t bytes = 0);
    /// Runs `what` after `delay`, unless `stop` came first.
    void after(Duration delay, std::function<void()> what);
    bool loses_gossip(const PeerId& from, const PeerId& to);

    void set_faults(LinkFaults faults) { faults_ = faults; }
    LinkFaults& default_faults() { return faults_; }
    void set_faults(const PeerId& a, const PeerId& b, LinkFaults faults);
    /// One direction: what `from` says does not reach `to`.
    void cut(const PeerId& from, const PeerId& to);
    void heal(const PeerId& from, const PeerId& to);
    bool is_cut(const PeerId& from, const PeerId& to) const { return cut_.contains({from, to}); }
    /// How often the direction was cut so far; tells one cut from the next.
    std::uint64_t cuts(const PeerId& from, const PeerId& to) const;
    const std::set<std::pair<PeerId, PeerId>>& all_cut() const { return cut_; }
    /// Both directions, and not by silence: whoever wants a connection is refused at once.
    void refuse(const PeerId& a, const PeerId& b) { refused_.insert(key(a, b)); }
    void accept(const PeerId& a, const PeerId& b) { refused_.erase(key(a, b)); }
    void accept_all() { refused_.clear(); }
    bool refuses(const PeerId& a, const PeerId& b) const { return refused_.contains(key(a, b)); }
    /// Gossip alone of one direction is lost, whatever the link's faults say.
    void cut_gossip(const PeerId& from, const PeerId& to) { gossip_cut_.insert({from, to}); }
    void heal_gossip() { gossip_cut_.clear(); }

    /// Bytes that were sent so far, over all links.
    std::uint64_t sent() const { return sent_; }

    /// Forgets everything that is under way.
    void stop();

 private:
    using Key = std::pair<PeerId, PeerId>;
    struct Packet {
        SteadyTime when;
        std::function<void()> deliver;
        std::size_t bytes = 0;
    };
    struct Lane {
        std::deque<Packet> queue;
        SteadyTime last{};
        bool pumping = false;
    };

    static Key key(const PeerId& a, const PeerId& b) { return a < b ? Key(a, b) : Key(b, a); }
    const LinkFaults& faults(const PeerId& a, const PeerId& b) const;
    SteadyTime arrival(const Key& direction, Lane& lane, std::size_t bytes);
    void start(const Key& direction, Lane& lane);
    void restart(const Key& direction);
    static asio::awaitable<void> pump(std::shared_ptr<MemoryLanes> self, Key direction);
    static asio::awaitable<void> run_after(std::shared_ptr<MemoryLanes> self, Duration delay,
                                           std::function<void()> what);

    World& world_;
    LinkFaults faults_;
    std::map<Key, LinkFaults> link_faults_;
    std::map<Key, Lane> lanes_;
    std::set<Key> cut_;         ///< directions
    std::set<Key> gossip_cut_;  ///< directions
    std::set<Key> refused_;     ///< links
    std::uint64_t sent_ = 0;
    std::map<Key, std::uint64_t> cuts_;
    bool stopped_ = false;
};

}  // namespace ipfscluster::net
