#pragma once
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "cluster/given_table.hpp"
#include "cluster/peer_client.hpp"
#include "cluster/pin_planner.hpp"
#include "cluster/walk.hpp"
#include "component/allocator.hpp"
#include "component/cluster_api.hpp"
#include "component/consensus.hpp"
#include "component/ipfs_connector.hpp"
#include "component/peer_monitor.hpp"
#include "component/pin_tracker.hpp"
#include "net/host.hpp"
#include "runtime/task_group.hpp"
#include "state/state.hpp"

namespace ipfscluster::cluster {

/// Times a pin is planned again because another operation on the CID came first (design 3).
inline constexpr int kPlanAttemptsMax = 3;
/// Limit of one call to another peer about one CID, and of an id query.
inline constexpr Duration kPeerCallLimit = std::chrono::seconds(15);
/// Keys listed in the answer of a garbage collection (it is one JSON object by contract).
inline constexpr std::size_t kGcKeysMax = 100000;

struct ClusterOptions {
    std::string peername;
    PinDefaults defaults;
    Duration ping_interval = std::chrono::seconds(15);
    Duration state_sync_interval = std::chrono::minutes(5);
    Duration pin_recover_interval = std::chrono::minutes(12);
    Duration peer_watch_interval = std::chrono::seconds(5);
    Duration dial_timeout = std::chrono::seconds(3);
    bool disable_repinning = false;
    Duration repin_grace =
        std::chrono::minutes(5);   ///< a peer must be away this long before its pins move
    std::size_t repin_rate = 100;  ///< pins moved per second, at most
    bool follower = false;
};

/// The parts a cluster peer is made of; all outlive the Cluster.
struct ClusterParts {
    World& world;
    net::Host& host;
    state::State& state;
    component::Consensus& consensus;
    component::PinTracker& tracker;
    component::IpfsConnector& ipfs;
    component::PeerMonitor& monitor;
    component::Allocator& allocator;
    std::vector<component::Informer*> informers;
    PeerClient& peers;
};

/// One peer's life: plans pins and commits them, answers for the whole cluster by asking the other
/// members, publishes its metrics, moves the pins of dead peers. Made and owned by main after its
/// parts, stopped before them; one strand. What it says of others is this peer's own view.
class Cluster final : public component::ClusterApi {
 public:
    Cluster(ClusterParts parts, ClusterOptions options);
    ~Cluster() override;

    /// Starts the background loops. Returns at once; metrics flow once consensus and IPFS are
    /// ready.
    Async<> start();
    Async<> stop();
    /// True once the pinset is current here and IPFS has answered.
    bool ready() const { return ready_; }
    Async<> wait_ready(Duration limit);

    PeerId self() const override { return parts_.host.id(); }
    Async<PeerInfo> id() override;
    std::string hindrance() override { return parts_.consensus.hindrance(); }
    std::string version() const override { return std::string(kClusterVersion); }
    SourcePtr<PeerInfo> peers() override;
    Async<PeerInfo> peer_add(PeerId peer) override;
    Async<> peer_remove(PeerId peer, bool force) override;
    Async<> join(Multiaddr address) override;

    Async<Pin> pin(Pin pin) override;
    Async<Pin> pin_path(std::string path, PinOptions options) override;
    Async<Pin> unpin(Cid cid) override;
    Async<Pin> unpin_path(std::string path) override;
    Result<Pin> pin_get(Cid cid) override;
    SourcePtr<Pin> pins(std::uint32_t types) override;

    Async<GlobalPinInfo> status(Cid cid) override;
    Async<PinInfo> status_local(Cid cid) override;
    SourcePtr<GlobalPinInfo> status_all(StatusFilter filter) override;
    SourcePtr<PinInfo> status_all_local(StatusFilter filter) override;
    Async<GlobalPinInfo> recover(Cid cid) override;
    Async<PinInfo> recover_local(Cid cid) override;
    SourcePtr<GlobalPinInfo> recover_all() override;
    SourcePtr<PinInfo> recover_all_local() override;
    Async<GlobalPinInfo> sync(Cid cid) override;
    Async<PinInfo> sync_local(Cid cid) override;
    SourcePtr<GlobalPinInfo> sync_all() override;
    SourcePtr<PinInfo> sync_all_local() override;

    Async<GlobalRepoGc> repo_gc() override;
    Async<RepoGc> repo_gc_local() override;
    SourcePtr<RepoGcKey> repo_gc_keys() override;
    Async<RepoStat> repo_stat() override;

    std::vector<Alert> alerts() override { return parts_.monitor.alerts(); }
    std::vector<std::string> metric_names() override { return parts_.monitor.names(); }
    std::vector<Metric> metrics(std::string name) override { return parts_.monitor.latest(name); }
    Async<ConnectGraph> connect_graph() override;
    std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> bandwidth() override;

    Async<std::unique_ptr<component::AddSession>> add(component::AddParams params) override;
    component::IpfsConnector& ipfs() override { return parts_.ipfs; }

    /// Peers that would get the blocks of an add with these options: everyone alive when the
    /// factors say everywhere.
    Async<std::vector<PeerId>> block_allocate(Pin pin);
    /// What a peer said of itself in its last ping.
    struct PingInfo {
        std::string peername;
        IpfsId ipfs;
    };
    PingInfo ping_info(const PeerId& peer);
    /// Publishes every informer's metrics now.
    Async<> send_metrics();

 private:
    friend class RepinWorker;
    friend class ClusterAddBackend;

    // pinning.cpp
    Async<Pin> commit_planned(Pin wish);
    /// Holders that the caller chose or an update copied, where they have died or left since:
    /// others are chosen for them. Those that live stay. An error when too few are left.
    Result<> replace_lost(PinPlan& planned);
    /// Chooses the peers of a plan that leaves them open, but for those of `blacklist`. `current`
    /// hold the pin now.
    Result<> allocate(PinPlan& planned, const std::vector<PeerId>& current,
                      const std::vector<PeerId>& blacklist);
    Async<PinPlan> plan(Pin wish);
    /// A pin that is not here may have been acknowledged by another peer a moment ago: "absent" is
    /// said only of a state that is current.
    Async<std::optional<state::StoredPin>> get_current(Cid cid);
    Result<std::vector<PeerId>> choose_peers(const Pin& pin, const std::vector<PeerId>& current,
                                             const std::vector<PeerId>& blacklist);
    Result<> check_writable() const;
    Async<> unpin_part(Cid cid);
    Async<> unpin_shards(Cid root, Cid cluster_dag);

    // global_status.cpp
    /// What a peer is asked about one CID.
    enum class Question { status, recover, sync };
    Async<GlobalPinInfo> ask_about(Cid cid, Question question);
    asio::awaitable<void> ask_one(PeerId peer, Cid cid, Question question,
                                  std::shared_ptr<PinInfo> out);
    /// `out` becomes what the peer says when it keeps a copy for others.
    asio::awaitable<void> ask_keeper(PeerId peer, Cid cid, std::shared_ptr<PinInfo> out);
    Async<PinInfo> ask_tracker(Cid cid, Question question);
    Async<PinInfo> ask_peer(PeerId peer, Cid cid, Question question);
    PinInfo error_row(const PeerId& peer, const Cid& cid, std::string error);
    /// Rows of all members, merged by CID.
    using OpenRows = std::function<SourcePtr<PinInfo>(const PeerId&)>;
    SourcePtr<GlobalPinInfo> merge_lists(const OpenRows& open, Duration silence_max);

    // repo.cpp
    asio::awaitable<void> ask_repo_stat(PeerId peer,
                                        std::shared_ptr<std::optional<Result<RepoStat>>> out);

    // loops.cpp
    asio::awaitable<void> life();
    asio::awaitable<void> ping_loop();
    asio::awaitable<void> informer_loop(component::Informer* informer);
    Async<bool> publish_metrics(component::Informer* informer);
    asio::awaitable<void> expiry_loop();
    asio::awaitable<void> recover_loop();
    asio::awaitable<void> connect_loop();
    /// Finds addresses of a member that cannot be dialled and remembers them.
    Async<> learn_addresses(PeerId peer);
    Async<> publish_ping();
    struct Expiries {
        std::size_t removed = 0;
        std::optional<Error> failure;
    };
    asio::awaitable<void> expire_one(Cid cid, Time now, std::shared_ptr<Expiries> out);
    /// Removes at most one batch of expired pins; true when more may be due.
    Async<bool> expire_once();
    /// Removes what has expired, while this peer is the coordinator.
    Async<> expire_all();
    /// Waits until all `tasks` ended, in parallel.
    Async<> run_all(std::vector<asio::awaitable<void>> tasks);

    ClusterParts parts_;
    ClusterOptions options_;
    GivenTable given_;
    bool ready_ = false;
    Signal ready_signal_;
    IpfsId last_ipfs_;
    std::map<PeerId, PingInfo> pings_;  ///< last ping of each member, kept when it falls silent
    std::unique_ptr<class RepinWorker> repin_;
    TaskGroup tasks_;
};

}  // namespace ipfscluster::cluster
