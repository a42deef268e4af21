#pragma once
#include <map>
#include <memory>

#include "consensus/raft/log_store.hpp"
#include "consensus/raft/wire.hpp"
#include "runtime/world.hpp"
#include "state/state.hpp"

namespace ipfscluster::raft {

/// Bytes of rows per piece.
inline constexpr std::size_t kSnapshotPieceBytes = 256 * 1024;
/// Snapshots held open at once; each keeps old data on the disk.
inline constexpr std::size_t kSnapshotLeasesMax = 4;
/// A lease nobody reads from is given up, and the follower's progress reported as failed. A
/// follower that takes no piece for as long has its stream closed.
inline constexpr Duration kSnapshotIdleMax = std::chrono::seconds(15);
/// A lease this young is shared with another follower that asks.
inline constexpr Duration kSnapshotShareMax = std::chrono::seconds(30);
inline constexpr int kSnapshotAttemptsMax = 5;
/// A follower that was sent everything and has not said for so long that it took it is asked: its
/// answer may have been lost.
inline constexpr Duration kSnapshotConfirmMax = std::chrono::seconds(5);
/// A transfer without a row for so long gives way to a newer offer.
inline constexpr Duration kFetchStallMax = std::chrono::seconds(3);

/// A follower and the index of the snapshot it was promised.
struct PromisedSnapshot {
    NodeId to = 0;
    std::uint64_t index = 0;
    friend bool operator==(const PromisedSnapshot&, const PromisedSnapshot&) = default;
};

/// The snapshots this node has promised to followers: frozen views of the store at an applied
/// index, which followers then stream. Owned by the consensus component; its strand.
class SnapshotLeases {
 public:
    SnapshotLeases(World& world, storage::Store& store, state::State& state, LogStore& log)
        : world_(world), store_(store), state_(state), log_(log) {}

    /// Freezes the state now, or shares a young lease at `request_index` or later. `retryable` when
    /// too many are open, and while held.
    Result<SnapshotMeta> make(std::uint64_t request_index, NodeId to, NodeId self);
    /// While one lives nothing is frozen: the log counts entries as applied whose rows are not
    /// written.
    class Hold {
     public:
        explicit Hold(SnapshotLeases& leases) : leases_(leases) { leases_.held_ = true; }
        ~Hold() { leases_.held_ = false; }
        Hold(const Hold&) = delete;
        Hold& operator=(const Hold&) = delete;

     private:
        SnapshotLeases& leases_;
    };
    /// Streams to `to` what `request` asks for. The error is sent to the follower too.
    Async<> serve(FrameStream* stream, SnapshotRequest request, NodeId to);
    /// Gives up idle leases; answers the followers whose transfer failed by that.
    std::vector<PromisedSnapshot> expire(SteadyTime now);
    /// Followers that were sent everything `kSnapshotConfirmMax` ago or earlier.
    std::vector<PromisedSnapshot> unconfirmed(SteadyTime now) const;
    /// Releases what nobody waits for any more: `waiting` are the followers that still do.
    void keep_only(const std::vector<PromisedSnapshot>& waiting);
    void clear() { leases_.clear(); }
    std::size_t size() const { return leases_.size(); }

 private:
    struct Lease {
        storage::SnapshotPtr view;
        SnapshotMeta meta;
        NodeTable nodes;
        Bytes cluster_id;
        std::map<NodeId, std::optional<SteadyTime>>
            followers;  ///< and when each was sent everything
        SteadyTime made{};
        SteadyTime used{};
    };
    Async<> send_pieces(FrameStream* stream, SnapshotRequest request, NodeId to);

    World& world_;
    storage::Store& store_;
    state::State& state_;
    LogStore& log_;
    bool held_ = false;
    std::map<std::uint64_t, std::shared_ptr<Lease>> leases_;  ///< shared with running transfers
};

/// A snapshot whose rows are staged here, waiting for the engine to take it.
struct FetchedSnapshot {
    Position at;
    Bytes token;
    Bytes cluster_id;
    NodeTable nodes;
};

/// Streams a snapshot from `from` into the staging generation of `state`, resuming after a broken
/// stream, and checks that it is whole. Nothing is live yet when it returns. `moved`, which
/// outlives it, says when rows came last.
Async<FetchedSnapshot> fetch_snapshot(World& world, net::Host& host, state::State& state,
                                      PeerId from, Hello hello, MessageInfo info,
                                      Duration network_timeout, SteadyTime* moved);

}  // namespace ipfscluster::raft
