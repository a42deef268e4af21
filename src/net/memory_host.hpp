#pragma once
#include <cstdint>
#include <deque>
#include <set>

#include "net/address_book.hpp"
#include "net/host.hpp"
#include "net/listeners.hpp"
#include "net/memory_lanes.hpp"
#include "net/memory_stream.hpp"

namespace ipfscluster::net {

/// A cut link that lasts longer ends the connections over it, as keep-alive does.
inline constexpr Duration kMemorySilenceMax = std::chrono::seconds(15);
/// Gossip messages a host remembers so that it passes each on once.
inline constexpr std::size_t kMemorySeenMax = 16 * 1024;

class MemoryHost;

/// The simulated network: hosts, the links between them and their faults. Deterministic under a
/// simulated World. Owned by the test, outlives its hosts; one strand.
class MemoryNetwork {
 public:
    explicit MemoryNetwork(World& world);
    ~MemoryNetwork();
    MemoryNetwork(const MemoryNetwork&) = delete;
    MemoryNetwork& operator=(const MemoryNetwork&) = delete;

    /// A host with an address of its own. Only hosts with the same secret can connect. The id must
    /// not be in use; a crashed or destroyed host's id, and so its address, may return.
    std::unique_ptr<MemoryHost> add_host(const PeerId& id, Bytes secret = {});
    /// The address `id` has or will have.
    Multiaddr address_of(const PeerId& id);

    /// Of every link without faults of its own.
    void set_faults(LinkFaults faults) { lanes_->set_faults(faults); }
    void set_faults(const PeerId& a, const PeerId& b, LinkFaults faults) {
        lanes_->set_faults(a, b, faults);
    }
    /// Of every link without faults of its own: what a message takes, drawn anew for each; and what
    /// each direction carries, 0 for any amount.
    void set_delay(Duration low, Duration high) {
        lanes_->default_faults().delay_low = low;
        lanes_->default_faults().delay_high = high;
    }
    void set_bandwidth(std::uint64_t bytes_per_second) {
        lanes_->default_faults().bytes_per_second = bytes_per_second;
    }
    /// Bytes written to streams so far.
    std::uint64_t sent() const { return lanes_->sent(); }
    /// Nothing passes any more; connections end after kMemorySilenceMax.
    void cut(const PeerId& a, const PeerId& b);
    /// What `from` says does not reach `to`, which is still heard. The connection ends as after a
    /// cut: keep-alive needs both directions.
    void cut_one_way(const PeerId& from, const PeerId& to);
    /// The connection ends at once, and both are refused when they dial: as when a cable is pulled
    /// at a switch that says so.
    void break_link(const PeerId& a, const PeerId& b);
    /// Cuts every link of it.
    void silence(const PeerId& peer);
    /// Streams go on, but gossip of `from` does not reach `to` over their link.
    void cut_gossip(const PeerId& from, const PeerId& to) { lanes_->cut_gossip(from, to); }
    void heal(const PeerId& a, const PeerId& b) {
        lanes_->heal(a, b);
        lanes_->heal(b, a);
        lanes_->accept(a, b);
    }
    /// Cuts every link between the two groups.
    void partition(const std::vector<PeerId>& left, const std::vector<PeerId>& right);
    /// Ends cuts of every kind.
    void heal_all();
    /// The host is gone from now on: its operations fail, its peers lose their connections to it.
    void crash(const PeerId& id);

 private:
    friend class MemoryHost;
    MemoryHost* find(const PeerId& id) const;

    World& world_;
    std::shared_ptr<MemoryLanes> lanes_;
    std::map<PeerId, MemoryHost*> hosts_;
    std::map<PeerId, std::uint32_t> numbers_;
    std::uint64_t next_connection_ = 0;
};

/// The Host of simulations. Made by MemoryNetwork; destroying it is a crash of the host.
class MemoryHost final : public Host {
 public:
    ~MemoryHost() override;

    const PeerId& id() const override { return id_; }
    std::vector<Multiaddr> addresses() const override;
    Async<> connect(PeerId peer, std::vector<Multiaddr> addresses, Duration limit) override;
    void disconnect(const PeerId& peer) override;
    bool connected(const PeerId& peer) const override { return connections_.contains(peer); }
    std::vector<PeerId> connected_peers() const override;
    void add_addresses(const PeerId& peer, const std::vector<Multiaddr>& addresses) override;
    std::vector<Multiaddr> known_addresses(const PeerId& peer) const override {
        return book_.of(peer);
    }
    std::vector<PeerId> known_peers() const override { return book_.peers(); }
    std::vector<PeerId> kept_peers() const override { return book_.kept(); }
    void keep_addresses(const PeerId& peer, bool keep) override {
        book_.keep(peer, keep, connected(peer));
    }
    Async<std::vector<Multiaddr>> find_peer(PeerId peer, Duration limit) override;
    Async<StreamPtr> open(PeerId peer, std::vector<std::string> protocols, Duration limit) override;
    void handle(const std::string& protocol, StreamHandler handler) override;
    void subscribe(const std::string& topic, TopicHandler handler) override;
    void unsubscribe(const std::string& topic) override;
    void set_topic_validator(const std::string& topic, TopicValidator validator) override;
    Async<> publish(std::string topic, Bytes data) override;
    std::shared_ptr<void> on_connection(std::function<void(ConnectionEvent)> listener) override;
    void on_failure(std::function<void(Error)> listener) override;
    std::map<std::string, BandwidthTotals> bandwidth() const override;
    Async<> close() override;

    /// Tells the failure listeners, as a broken network layer would.
    void fail_network(Error error);

 private:
    friend class MemoryNetwork;
    struct Attempt;
    struct Connection {
        std::uint64_t number = 0;
        std::vector<std::weak_ptr<MemoryPipe>> pipes;
    };
    struct Gossip {
        PeerId from;
        std::uint64_t sequence = 0;
        std::string topic;
        Bytes data;
    };

    MemoryHost(MemoryNetwork& network, PeerId id, Bytes secret);
    Async<> dial(PeerId peer, Duration limit);
    Async<StreamPtr> opened(PeerId peer, std::vector<std::string> protocols, Duration limit);
    std::shared_ptr<Attempt> new_attempt();
    void wake_attempts();
    /// Whether a dial of ours to that peer is under way.
    bool dialing(const PeerId& peer) const;
    void on_dial(const PeerId& from, const Bytes& secret, std::shared_ptr<Attempt> attempt);
    void on_open(const PeerId& from, std::uint64_t connection,
                 const std::vector<std::string>& protocols, std::shared_ptr<Attempt> attempt);
    void on_gossip(const PeerId& source, const Gossip& message);
    void pass_on(const PeerId& source, const Gossip& message);
    void establish(const PeerId& peer, std::uint64_t number);
    /// Ends our side of a connection; `number` 0 means whichever there is.
    void lose(const PeerId& peer, std::uint64_t number);
    void lose_pipes(Connection& connection);
    void tell_lost(const PeerId& peer, std::uint64_t number);
    /// Takes the host off the network.
    void shut();
    /// False when the message was seen before.
    bool remember(std::pair<PeerId, std::uint64_t> message);
    std::unique_ptr<MemoryStream> attach(std::shared_ptr<MemoryPipe> pipe, std::size_t end);
    Result<> usable() const;

    MemoryNetwork& network_;
    PeerId id_;
    Bytes secret_;
    bool closed_ = false;
    std::map<PeerId, Connection> connections_;
    std::map<PeerId, std::vector<std::weak_ptr<Attempt>>> dialing_;
    std::vector<std::weak_ptr<Attempt>> attempts_;
    AddressBook book_;
    std::map<std::string, StreamHandler> handlers_;
    std::map<std::string, TopicHandler> topics_;
    std::map<std::string, TopicValidator> validators_;
    std::uint64_t sequence_ = 0;
    std::set<std::pair<PeerId, std::uint64_t>> seen_;
    std::deque<std::pair<PeerId, std::uint64_t>> seen_order_;
    Listeners<ConnectionEvent> listeners_;
    std::vector<std::function<void(Error)>> failures_;
    std::map<std::string, std::shared_ptr<BandwidthTotals>> totals_;
};

}  // namespace ipfscluster::net
