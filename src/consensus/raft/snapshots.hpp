#pragma once
#include <map>
#include <memory>

#include "base/planted.hpp"
#include "consensus/raft/log_store.hpp"
#include "consensus/raft/wire.hpp"
#include "runtime/world.hpp"
#include "state/state.hpp"

namespace ipfscluster::raft {

/// Bytes of rows per piece.
inline constexpr std::size_t kSnapshotPieceBytes = 256 * 1024;
/// Snapshots held open at once; each keeps old data on the disk.
inline constexpr std::size_t kSnapshotLeasesMax = 4;
/// A follower that takes no piece for as long has its stream closed and is offered the same
/// snapshot again: it may have been restarted and know nothing of it.
inline constexpr Duration kSnapshotIdleMax = std::chrono::seconds(15);
/// A lease nobody has read from for so long is given up: links may be down for minutes.
inline constexpr Duration kSnapshotKeepMax = std::chrono::minutes(5);
/// A lease this young is shared with another follower that asks.
inline constexpr Duration kSnapshotShareMax = std::chrono::seconds(30);
/// A transfer that breaks goes on from the row it had, after a pause that grows while no row comes,
/// and ends when none came for so long.
inline constexpr Duration kFetchRetryMin = std::chrono::milliseconds(200);
inline constexpr Duration kFetchRetryMax = std::chrono::seconds(1);
inline constexpr Duration kFetchPatience = kSnapshotKeepMax;
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

    /// Freezes the state now, or shares a young lease at `request_index` or later; a follower that
    /// was promised one gets the same again as long as it is of use. `retryable` when too many are
    /// in use, and while held.
    Result<SnapshotMeta> make(std::uint64_t request_index, NodeId to, NodeId self);
    /// While one lives nothing is frozen: the log counts entries as applied whose rows are not
    /// written.
    class Hold {
     public:
        explicit Hold(SnapshotLeases& leases) : leases_(leases) {
            leases_.held_ = !planted(Bug::snapshot_before_its_rows);
        }
        ~Hold() { leases_.held_ = false; }
        Hold(const Hold&) = delete;
        Hold& operator=(const Hold&) = delete;

     private:
        SnapshotLeases& leases_;
    };
    /// Streams to `to` what `request` asks for. The error is sent to the follower too.
    Async<> serve(FrameStream* stream, SnapshotRequest request, NodeId to);
    /// Followers that took nothing for `kSnapshotIdleMax`, neither rows nor an offer.
    std::vector<PromisedSnapshot> idle(SteadyTime now) const;
    /// Followers that were sent everything `kSnapshotConfirmMax` ago or earlier.
    std::vector<PromisedSnapshot> unconfirmed(SteadyTime now) const;
    /// Whether the promise still stands.
    bool holds(const PromisedSnapshot& promise) const;
    /// When the follower last took rows of the snapshot at this index, or was offered it.
    std::optional<SteadyTime> moved(const PromisedSnapshot& promise) const;
    /// Releases what nobody needs any more, of all `followers` there are (none: we do not lead),
    /// and what nobody has read from for `kSnapshotKeepMax`.
    void keep_needed(const std::vector<Progress>& followers, SteadyTime now);
    void clear() { leases_.clear(); }
    std::size_t size() const { return leases_.size(); }

 private:
    struct Follower {
        std::optional<SteadyTime> sent;  ///< everything
        SteadyTime moved{};              ///< took rows, or was offered them
    };
    struct Lease {
        storage::SnapshotPtr view;
        SnapshotMeta meta;
        NodeTable nodes;
        ClusterFacts facts;
        Bytes cluster_id;
        std::map<NodeId, Follower> followers;
        SteadyTime made{};
        SteadyTime used{};  ///< read from, or promised to somebody new
    };
    const Follower* find(const PromisedSnapshot& promise) const;
    void make_room(SteadyTime now);
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
    ClusterFacts facts;
};

/// Where a transfer stands. Kept after it ended without success: should the same snapshot be
/// offered again, it goes on from there.
struct FetchProgress {
    Bytes token;  ///< empty: nothing is staged
    SnapshotRequest next;
    bool rows_complete = false;
    SteadyTime moved{};  ///< when rows came last, or it began
};

/// Streams a snapshot from `from` into the staging generation of `state`, resuming after a broken
/// stream, and checks that it is whole. Nothing is live yet when it returns. `at` outlives it.
Async<FetchedSnapshot> fetch_snapshot(World& world, net::Host& host, state::State& state,
                                      PeerId from, Hello hello, MessageInfo info,
                                      Duration network_timeout, FetchProgress* at);

}  // namespace ipfscluster::raft
