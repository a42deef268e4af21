#pragma once
#include <memory>
#include <string>
#include <vector>

#include "component/cordon.hpp"
#include "component/ipfs_connector.hpp"
#include "model/drain.hpp"
#include "model/metric.hpp"
#include "model/peer_info.hpp"
#include "model/pin.hpp"
#include "model/status.hpp"
#include "runtime/async.hpp"
#include "runtime/source.hpp"

namespace ipfscluster::component {

/// Query options of an add (reference/http 4.2), already parsed and checked by the caller.
struct AddParams {
    PinOptions pin;
    std::string format = "unixfs";  ///< or "car"
    std::string layout = "balanced";
    std::string chunker = "size-262144";
    std::string hash = "sha2-256";
    int cid_version = 0;
    bool raw_leaves = false;
    bool wrap = false;
    bool shard = false;
    bool local = false;
    bool progress = false;
    bool no_pin = false;
    bool no_copy = false;
};

/// One add in progress: the caller feeds nodes in depth-first order and pulls results meanwhile.
/// Blocks go to their destinations as they are made; `finish` returns after they are durable there
/// and the pin is committed. Destroying an unfinished session aborts it and releases its leases.
/// One caller at a time.
class AddSession {
 public:
    virtual ~AddSession() = default;
    /// `path` is the cleaned file name with '/' between directories; may be "".
    virtual Async<> begin_file(std::string path) = 0;
    virtual Async<> write(Bytes data) = 0;
    virtual Async<> end_file() = 0;
    virtual Async<> add_directory(std::string path) = 0;
    virtual Async<> add_symlink(std::string path, std::string target) = 0;
    /// Outputs that became ready since the last call.
    virtual std::vector<AddedOutput> take_outputs() = 0;
    /// The root CID; more outputs may be waiting afterwards.
    virtual Async<Cid> finish() = 0;
};

/// What came of the wish to remove a member.
enum class Removal {
    removed,  ///< it is no member any more
    leaving   ///< it will be removed once its copies are elsewhere
};

/// The operations of one peer as the HTTP surfaces and the RPC handlers see it; `cluster::Cluster`
/// implements it, tests have a fake. Global calls ask the other members. One strand.
class ClusterApi {
 public:
    virtual ~ClusterApi() = default;

    virtual PeerId self() const = 0;
    virtual Async<PeerInfo> id() = 0;
    virtual std::string version() const = 0;
    /// `Consensus::hindrance`.
    virtual std::string hindrance() = 0;
    virtual SourcePtr<PeerInfo> peers() = 0;
    virtual Async<PeerInfo> peer_add(PeerId peer) = 0;
    /// At once where no pin loses its last live copy, or with `force`; else once the copies are
    /// elsewhere. `conflict`: nobody could take them.
    virtual Async<Removal> peer_remove(PeerId peer, bool force) = 0;
    /// Tells the cluster to give a member no new pins, to move those it has, or neither any more.
    /// What it has then, and what could not move; `dry_run`: nothing is told. `not_found`: no
    /// member. `conflict`: nothing is moved here, by configuration, or nobody else would hold what
    /// every peer holds.
    virtual Async<DrainReport> peer_cordon(PeerId peer, Cordon cordon, bool dry_run) = 0;
    /// What was told about a member and how far it has come. `not_found`: no member.
    virtual Async<DrainReport> peer_drain(PeerId peer) = 0;
    /// What this peer has of its own while its pins move.
    virtual Async<HeldHere> held_here() = 0;
    virtual Async<> join(Multiaddr address) = 0;

    virtual Async<Pin> pin(Pin pin) = 0;
    virtual Async<Pin> pin_path(std::string path, PinOptions options) = 0;
    /// The pin as it was. `not_found`: "pin is not part of the pinset".
    virtual Async<Pin> unpin(Cid cid) = 0;
    virtual Async<Pin> unpin_path(std::string path) = 0;
    /// From this peer's applied state.
    virtual Result<Pin> pin_get(Cid cid) = 0;
    /// In CID order. `types`: an or of PinType bits.
    virtual SourcePtr<Pin> pins(std::uint32_t types) = 0;

    virtual Async<GlobalPinInfo> status(Cid cid) = 0;
    virtual Async<PinInfo> status_local(Cid cid) = 0;
    virtual SourcePtr<GlobalPinInfo> status_all(StatusFilter filter) = 0;
    virtual SourcePtr<PinInfo> status_all_local(StatusFilter filter) = 0;
    virtual Async<GlobalPinInfo> recover(Cid cid) = 0;
    virtual Async<PinInfo> recover_local(Cid cid) = 0;
    virtual SourcePtr<GlobalPinInfo> recover_all() = 0;
    virtual SourcePtr<PinInfo> recover_all_local() = 0;
    /// Status after asking the daemons; an error when not one of those that should hold it could be
    /// asked.
    virtual Async<GlobalPinInfo> sync(Cid cid) = 0;
    virtual Async<PinInfo> sync_local(Cid cid) = 0;
    /// Compares all records with the daemons' lists; what is in error or has changed, peer by peer.
    virtual SourcePtr<GlobalPinInfo> sync_all() = 0;
    virtual SourcePtr<PinInfo> sync_all_local() = 0;

    virtual Async<GlobalRepoGc> repo_gc() = 0;
    virtual Async<RepoGc> repo_gc_local() = 0;
    /// Collects garbage on one member after the other and gives each removed key as soon as it is
    /// known here; a member that failed is a row without a key.
    virtual SourcePtr<RepoGcKey> repo_gc_keys() = 0;
    /// Sums over the members that answer; `unavailable` with every cause when none does.
    virtual Async<RepoStat> repo_stat() = 0;

    virtual std::vector<Alert> alerts() = 0;
    virtual std::vector<std::string> metric_names() = 0;
    virtual std::vector<Metric> metrics(std::string name) = 0;
    virtual Async<ConnectGraph> connect_graph() = 0;
    /// Totals by protocol id: bytes in, bytes out.
    virtual std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> bandwidth() = 0;

    virtual Async<std::unique_ptr<AddSession>> add(AddParams params) = 0;
    /// For reading content back (`GET /ipfs/…`).
    virtual IpfsConnector& ipfs() = 0;
};

/// Exactly this text makes HTTP answer 404 in the Go programs.
inline constexpr std::string_view kPinNotFound = "pin is not part of the pinset";

}  // namespace ipfscluster::component
