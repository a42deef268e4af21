#pragma once
#include <map>
#include <optional>

#include "consensus/raft/options.hpp"
#include "consensus/raft/snapshots.hpp"

namespace ipfscluster::raft {

/// What a follower that is being sent a snapshot will need next stays in the log beyond its usual
/// length, but no more than this many times that length in entries and bytes, and no longer than
/// this after it last took something.
inline constexpr std::uint64_t kCompactionHoldFactor = 4;
inline constexpr Duration kCompactionHoldMax = std::chrono::minutes(10);

/// What a leader owes to followers that are behind its log: the snapshots it offered them, and the
/// entries they will need after those, which decide where the log may be cut. Owned by the
/// consensus component and used by its driver's rounds, on its strand. Fails as the engine does.
class SnapshotOffers {
 public:
    SnapshotOffers(World& world, SnapshotLeases& leases, const LogStore& log,
                   const RaftOptions& options)
        : world_(world), leases_(leases), log_(log), options_(options) {}

    Result<SnapshotMeta> promise(std::uint64_t request_index, NodeId to, NodeId self);
    /// Tells the engine how an offer went, unless the follower waits for another by now.
    static Result<> report(Engine& engine, PromisedSnapshot promise, bool good);
    /// With each tick: offers again what nobody took, and drops what nobody needs.
    Result<> tend(Engine& engine, SteadyTime now);
    /// Where the log is to be cut, by the number of entries and by their bytes; nothing: nowhere
    /// yet.
    Result<std::optional<std::uint64_t>> cut(const Engine& engine);
    void forget(NodeId id) { catching_up_.erase(id); }

 private:
    /// A follower that was promised a snapshot and has not caught up since.
    struct CatchUp {
        std::uint64_t from = 0;  ///< index of the snapshot
        SteadyTime since{};      ///< it last took rows of it
    };
    Result<std::uint64_t> still_needed(const Engine& engine, std::uint64_t usual);

    World& world_;
    SnapshotLeases& leases_;
    const LogStore& log_;
    const RaftOptions& options_;
    std::map<NodeId, CatchUp> catching_up_;
};

}  // namespace ipfscluster::raft
