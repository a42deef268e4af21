#pragma once
#include <memory>
#include <vector>

#include "component/ipfs_connector.hpp"
#include "model/peer_info.hpp"
#include "model/status.hpp"
#include "rpc/client.hpp"

namespace ipfscluster::cluster {

/// Limit of a small question to another peer.
inline constexpr Duration kAskLimit = std::chrono::seconds(15);
/// Limit of the question whether another peer lives.
inline constexpr Duration kAliveLimit = std::chrono::seconds(5);
/// Longest silence inside a list another peer sends.
inline constexpr Duration kListIdleLimit = std::chrono::seconds(30);
/// The same for one that begins when the peer has read its daemon's whole list of pins.
inline constexpr Duration kReconcileIdleLimit = std::chrono::minutes(15);
/// A garbage collection is answered when it is over.
inline constexpr Duration kGcLimit = std::chrono::hours(1);
inline constexpr std::size_t kGcAnswerBytesMax = 32 * 1024 * 1024;
/// Longest wait for another peer to take a block or to confirm that all are durable.
inline constexpr Duration kBlockLimit = std::chrono::minutes(2);

/// What a cluster peer asks of others, with types. Owned by main beside the rpc::Client; one
/// strand. Failures follow rpc::Client: `unavailable` – nothing happened there, `unknown_outcome` –
/// no answer came.
class PeerClient {
 public:
    explicit PeerClient(rpc::Client& client) : client_(client) {}

    Async<PeerInfo> id(PeerId peer);
    /// Whether it may count as alive; fails with its reason when it may not. A peer that does not
    /// know the question, such as one of the Go programs, lives: it has answered.
    Async<> alive(PeerId peer);
    /// Asks `peer` to take `joiner` into the cluster; its view of itself afterwards.
    Async<PeerInfo> peer_add(PeerId peer, PeerId joiner);

    Async<PinInfo> status(PeerId peer, Cid cid);
    Async<PinInfo> recover(PeerId peer, Cid cid);
    /// As `status`, but fails where that peer's daemon could not be asked.
    Async<PinInfo> sync_local(PeerId peer, Cid cid);
    /// Rows in the order of their CID bytes; `unsupported` of a Go peer.
    SourcePtr<PinInfo> status_all_sorted(PeerId peer, StatusFilter filter);
    SourcePtr<PinInfo> recover_all_local(PeerId peer);
    SourcePtr<PinInfo> sync_all_local(PeerId peer);

    /// What that peer has of its own while its pins move; `unsupported` of a Go peer.
    Async<HeldHere> held_here(PeerId peer);

    Async<RepoGc> repo_gc_local(PeerId peer);
    Async<RepoStat> repo_stat(PeerId peer);
    Async<std::vector<PeerId>> swarm_peers(PeerId peer);
    /// Blocks for that peer; `commit` returns when it has them all on its disk. Blocks may follow a
    /// commit.
    Async<std::unique_ptr<component::BlockSession>> block_stream(PeerId peer);

 private:
    rpc::Client& client_;
};

}  // namespace ipfscluster::cluster
