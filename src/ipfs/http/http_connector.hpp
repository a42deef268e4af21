#pragma once
#include <deque>
#include <functional>
#include <memory>

#include "component/ipfs_connector.hpp"
#include "component/pin_pace.hpp"
#include "ipfs/http/concurrency_limit.hpp"
#include "ipfs/http/kubo_client.hpp"

namespace ipfscluster::ipfshttp {

/// Origins of a pin that are connected to before it (as Go), and how long the pin waits for them.
inline constexpr std::size_t kOriginsMax = 10;
inline constexpr Duration kOriginsLimit = std::chrono::seconds(5);
/// Origins being connected to at once, of all pins; a pin does not wait longer for its turn than
/// for its origins.
inline constexpr std::size_t kOriginConnectsMax = 16;
/// Connections to the daemon beside those of the pins, slow ones included: for origins, unpins,
/// listings, blocks, reading.
inline constexpr std::size_t kConnectionsBesidePins = 54;
/// Pins told in one call: an address of two kilobytes.
inline constexpr std::size_t kTogetherMax = 32;
/// Pins that were given up and may still end at the daemon: remembered for an unpin that follows.
inline constexpr std::size_t kGivenUpMax = 1024;
inline constexpr Duration kGivenUpFor = std::chrono::seconds(5);

/// `ipfs_connector.ipfshttp` and what else the connector is told. A zero duration means "no limit".
struct HttpConnectorOptions {
    Multiaddr node;  ///< Kubo's RPC API: TCP or unix socket
    Duration request_timeout = std::chrono::minutes(5);
    Duration pin_timeout = std::chrono::minutes(2);  ///< without progress
    Duration unpin_timeout = std::chrono::hours(3);
    Duration repogc_timeout = std::chrono::hours(24);
    bool unpin_disable = false;
    int concurrent_pins = 10;  ///< what the daemon is first taken to be able to do at once
    /// After so many pins, unpins and blocks `trigger_informers` is called; 0: never.
    std::int64_t informer_trigger_interval = 0;
    std::function<void()> trigger_informers;
    KuboClientOptions client;  ///< without `connections_max`, which follows from `concurrent_pins`
};

/// A Kubo daemon beside this peer, over its RPC API. Owned by main; one strand. `start` before,
/// `stop` after use (and after everything that uses it has ended); the daemon need not run at
/// either.
class HttpConnector final : public component::IpfsConnector {
 public:
    /// `invalid` when the address is neither TCP nor a unix socket.
    static Result<std::unique_ptr<HttpConnector>> make(World& world, HttpConnectorOptions options);
    ~HttpConnector() override;

    Async<> start() override;
    Async<> stop() override;
    bool ready() override { return client_.identity().has_value(); }
    component::DaemonState daemon() const override {
        const auto& breaker = client_.breaker();
        return {breaker.closed(), breaker.reason(), limit_.limit()};
    }
    void on_daemon(std::function<void()> changed) override { changed_ = std::move(changed); }

    Async<IpfsId> id() override;
    Async<> pin(component::PinRequest request, component::ProgressHandler progress) override;
    std::size_t together_max() const override { return kTogetherMax; }
    Async<> pin_together(std::vector<Cid> cids, Duration limit) override;
    Async<> unpin(Cid cid) override;
    Async<IpfsPinStatus> pin_status(Pin pin) override;
    SourcePtr<IpfsPinInfo> pin_ls(std::vector<std::string> types) override;
    Async<RepoStat> repo_stat() override;
    SourcePtr<RepoGcKey> repo_gc() override;
    Async<> swarm_connect(std::vector<Multiaddr> addresses) override;
    Async<std::vector<PeerId>> swarm_peers() override;
    Async<Cid> resolve(std::string path) override;
    Async<Bytes> block_get(Cid cid) override;
    Async<std::unique_ptr<component::BlockSession>> open_blocks() override;

    Async<component::FileInfo> stat(std::string path) override;
    Async<SourcePtr<Bytes>> cat(Cid file, std::uint64_t offset, std::uint64_t length) override;
    Async<SourcePtr<component::DirectoryEntry>> ls(Cid directory) override;
    Async<std::string> read_link(Cid cid) override;

    /// For tests and logs.
    const KuboClient& client() const { return client_; }

 private:
    class Telling;
    struct GivenUp {
        Cid cid;
        SteadyTime at;
    };
    HttpConnector(World& world, http::ClientConfig where, HttpConnectorOptions options);

    /// A call with the usual limit.
    KuboCall request(std::string path) const;
    Async<bool> holds(Cid cid, std::string type);
    /// The daemon took so long to begin an answer that costs it nothing.
    void note_answer(Duration took);
    void note_refusal(const Error& error);
    void tell_changed() {
        if (changed_) changed_();
    }
    Async<bool> is_held(Pin pin);
    Async<> pin_unheld(Pin pin, component::ProgressHandler progress);
    Async<> add_pin(Pin pin, component::ProgressHandler progress);
    /// Reads until the daemon says that it holds `cid`.
    Async<> follow_pin(KuboStreamPtr stream, Cid cid, component::ProgressHandler progress);
    Async<> update_pin(Cid from, Cid to);
    Async<> remove_pin(Cid cid);
    Async<> connect_origins(std::vector<Multiaddr> origins);
    asio::awaitable<void> connect_origin(Multiaddr origin, std::shared_ptr<std::size_t> left);
    Async<> connect_one(Multiaddr address);
    void note_given_up(Cid cid);
    bool take_given_up(const Cid& cid);
    void count_operations(std::size_t count);

    World& world_;
    HttpConnectorOptions options_;
    KuboClient client_;
    ConcurrencyLimit limit_;
    std::function<void()> changed_;
    std::size_t origins_connecting_ = 0;  ///< at most kOriginConnectsMax
    Signal origins_changed_;
    std::deque<GivenUp> given_up_;  ///< at most kGivenUpMax, oldest first
    std::int64_t operations_ = 0;   ///< since informers were triggered
    TaskGroup tasks_;
};

}  // namespace ipfscluster::ipfshttp
