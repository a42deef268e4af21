#pragma once
#include <deque>
#include <map>
#include <memory>
#include <set>

#include "net/host.hpp"
#include "runtime/signal.hpp"
#include "runtime/sim_world.hpp"

namespace ipfscluster::sim {

/// A network in one thread under the World's seed: ordered streams with drawn delays, links that
/// can be cut and peers that can vanish. Only what consensus uses of net::Host.
class TestNetwork {
 public:
    explicit TestNetwork(SimWorld& world) : world_(world) {}
    /// A message takes this long, drawn anew for each write.
    void set_delay(Duration low, Duration high) {
        delay_low_ = low;
        delay_high_ = high;
    }
    /// Each direction of a stream carries so much; 0: any amount.
    void set_bandwidth(std::uint64_t bytes_per_second) { bandwidth_ = bytes_per_second; }
    /// Bytes written to streams so far.
    std::uint64_t sent() const { return sent_; }
    /// Cuts or mends both directions; a cut resets the streams between them.
    void cut(const PeerId& a, const PeerId& b, bool cut);
    /// As when a peer's machine loses power: what is sent to it or was under way vanishes, and no
    /// stream breaks.
    void silence(const PeerId& peer) { silent_.insert(peer); }
    void mend_all() {
        cuts_.clear();
        silent_.clear();
    }
    SimWorld& world() { return world_; }

 private:
    friend class TestHost;
    friend class TestStream;
    struct Pipe;
    struct Connection;
    bool is_cut(const PeerId& a, const PeerId& b) const {
        return cuts_.contains(std::minmax(a, b));
    }
    bool is_silent(const PeerId& a, const PeerId& b) const {
        return silent_.contains(a) || silent_.contains(b);
    }
    void reset_between(const std::function<bool(const PeerId&, const PeerId&)>& match);

    SimWorld& world_;
    std::uint64_t bandwidth_ = 0;
    std::uint64_t sent_ = 0;
    std::map<PeerId, class TestHost*> hosts_;
    std::set<std::pair<PeerId, PeerId>> cuts_;
    std::set<PeerId> silent_;
    std::vector<std::weak_ptr<Connection>> connections_;
    Duration delay_low_ = std::chrono::microseconds(100);
    Duration delay_high_ = std::chrono::milliseconds(2);
};

class TestHost final : public net::Host {
 public:
    TestHost(TestNetwork& network, PeerId id);
    ~TestHost() override;
    /// Nobody hears of it again; its streams break.
    void vanish();

    const PeerId& id() const override { return id_; }
    std::vector<Multiaddr> addresses() const override { return {}; }
    Async<> connect(PeerId, std::vector<Multiaddr>, Duration) override { co_return ok(); }
    void disconnect(const PeerId&) override {}
    bool connected(const PeerId&) const override { return true; }
    std::vector<PeerId> connected_peers() const override { return {}; }
    void add_addresses(const PeerId&, const std::vector<Multiaddr>&) override {}
    std::vector<Multiaddr> known_addresses(const PeerId&) const override { return {}; }
    std::vector<PeerId> known_peers() const override { return known_; }
    Async<std::vector<Multiaddr>> find_peer(PeerId, Duration) override {
        co_return fail(Kind::not_found, "no routing here");
    }
    Async<net::StreamPtr> open(PeerId peer, std::vector<std::string> protocols,
                               Duration limit) override;
    void handle(const std::string& protocol, net::StreamHandler handler) override;
    void subscribe(const std::string&, net::TopicHandler) override {}
    void unsubscribe(const std::string&) override {}
    void set_topic_validator(const std::string&, net::TopicValidator) override {}
    Async<> publish(std::string, Bytes) override { co_return ok(); }
    std::shared_ptr<void> on_connection(std::function<void(net::ConnectionEvent)>) override {
        return nullptr;
    }
    void on_failure(std::function<void(Error)>) override {}
    std::map<std::string, net::BandwidthTotals> bandwidth() const override { return {}; }
    Async<> close() override { co_return ok(); }

    std::vector<PeerId> known_;

 private:
    friend class TestNetwork;
    TestNetwork& network_;
    PeerId id_;
    bool gone_ = false;
    std::map<std::string, net::StreamHandler> handlers_;
};

}  // namespace ipfscluster::sim
