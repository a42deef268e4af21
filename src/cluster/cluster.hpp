#pragma once
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "cluster/clock_watch.hpp"
#include "cluster/drain_survey.hpp"
#include "cluster/leave_watch.hpp"
#include "cluster/parts.hpp"
#include "cluster/pinner.hpp"
#include "cluster/repin_worker.hpp"
#include "cluster/room_mover.hpp"
#include "cluster/vitals.hpp"
#include "component/cluster_api.hpp"
#include "runtime/task_group.hpp"

namespace ipfscluster::cluster {

/// Keys listed in the answer of a garbage collection (it is one JSON object by contract).
inline constexpr std::size_t kGcKeysMax = 100000;
/// A status filter that leaves nothing out.
inline constexpr StatusFilter kEveryStatus = 0;
/// A ping, and a metric of an informer, is good for this many of its periods
/// (reference/internals 6.1).
inline constexpr int kPingTtlPeriods = 2;

/// One peer's life: changes the pinset through its Pinner, answers for the whole cluster by asking
/// the other members, publishes its metrics, moves the pins of dead peers. Made and owned by main
/// after its parts, stopped before them; one strand. What it says of others is this peer's own
/// view.
class Cluster final : public component::ClusterApi {
 public:
    Cluster(ClusterParts parts, ClusterOptions options);

    /// Starts the background loops. Returns at once; metrics flow once consensus and IPFS are
    /// ready.
    Async<> start();
    Async<> stop();
    /// True once the pinset is current here and IPFS has answered.
    bool ready() const { return ready_; }
    Async<> wait_ready(Duration limit);
    /// Whether this peer may count as alive; `unavailable` with the reason when it may not.
    Result<> alive() const {
        // One that cannot serve is of no use to its pins, however well its consensus runs.
        if (!ready_) return fail(Kind::unavailable, "this peer is not READY yet");
        return vitals_.check();
    }

    PeerId self() const override { return parts_.host.id(); }
    Async<PeerInfo> id() override;
    std::string hindrance() override { return parts_.log.hindrance(); }
    std::string version() const override { return std::string(kClusterVersion); }
    SourcePtr<PeerInfo> peers() override;
    Async<PeerInfo> peer_add(PeerId peer) override;
    Async<component::Removal> peer_remove(PeerId peer, bool force) override;
    Async<DrainReport> peer_cordon(PeerId peer, component::Cordon cordon, bool dry_run) override;
    Async<DrainReport> peer_drain(PeerId peer) override;
    Async<HeldHere> held_here() override { return survey_.held_here(); }
    /// Removes this peer from the cluster, unless an item has not its minimum elsewhere:
    /// `conflict`. Moves nothing.
    Async<> leave();
    Async<> join(Multiaddr address) override;

    Async<Pin> pin(Pin pin) override { return pinner_.pin(std::move(pin)); }
    Async<Pin> pin_path(std::string path, PinOptions options) override {
        return pinner_.pin_path(std::move(path), std::move(options));
    }
    Async<Pin> unpin(Cid cid) override { return pinner_.unpin(std::move(cid)); }
    Async<Pin> unpin_path(std::string path) override { return pinner_.unpin_path(std::move(path)); }
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

    /// What a peer said of itself in its last ping.
    struct PingInfo {
        std::string peername;
        IpfsId ipfs;
        bool outside = true;  ///< it can fetch what no member has
    };
    PingInfo ping_info(const PeerId& peer);
    /// Publishes every informer's metrics now.
    Async<> send_metrics();
    /// Entries that are kept of single peers.
    std::size_t remembered() const { return pings_.size() + pinner_.given_to(); }

 private:
    // departures.cpp
    Result<> check_member(const PeerId& peer) const;
    /// `conflict` where nobody would hold any more what every peer holds.
    Result<> check_left_to_others(const PeerId& peer) const;
    /// `conflict` where no pin moves, by configuration.
    Result<> check_moves() const;
    Async<RemovalLoss> loss_of(PeerId peer);
    Async<> tell_to_leave(PeerId peer, RemovalLoss loss);
    Async<MemberNote> note_of(PeerId peer);

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
    /// Tells in the rows of holders that are away that the item waits for them.
    void name_stranded(GlobalPinInfo& global, const Pin& pin);
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
    ClockWatch clocks_;
    Pinner pinner_;
    RepinWorker repin_;
    RoomMover room_;
    DrainSurvey survey_;
    LeaveWatch leaves_;
    Vitals vitals_;
    bool ready_ = false;
    Signal ready_signal_;
    IpfsId last_ipfs_;
    std::map<PeerId, PingInfo> pings_;  ///< last ping of each member, kept when it falls silent
    TaskGroup tasks_;
};

}  // namespace ipfscluster::cluster
