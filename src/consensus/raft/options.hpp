#pragma once
#include <memory>
#include <vector>

#include "base/time.hpp"
#include "consensus/raft/log_floor.hpp"
#include "multi/peer_id.hpp"
#include "state/feature_level.hpp"

namespace ipfscluster::raft {

/// What the `consensus.raft` section and the command line decide. Plain values.
struct RaftOptions {
    /// Founders; this peer is always one of them unless `staging`.
    std::vector<PeerId> init_peerset;
    /// `--bootstrap`: found nothing, wait to be added by a member. Without effect when there is
    /// state.
    bool staging = false;
    /// Members of the cluster this peer was last in. When its data is gone and it would found a
    /// cluster alone, it waits for them instead, for ever, and says so (`hindrance`).
    std::vector<PeerId> remembered;
    /// It was started to join a cluster and has not been taken in since: without data it asks those
    /// it knows and founds nothing.
    bool joining = false;
    /// The operator says that it shall found a cluster alone where nobody answers that he knows it,
    /// whatever `remembered` and `joining` say. Without effect in a cluster.
    bool found_alone = false;
    /// Where the floor under the log is kept; null: nothing notices a log that lost its tail.
    std::shared_ptr<FloorFile> floor;

    /// What this build understands in the log; tests set it to play another build.
    std::uint32_t feature_level = state::kFeatureLevel;

    /// A follower that hears nothing for one to two election timeouts stands for election.
    Duration election_timeout = std::chrono::seconds(1);
    Duration network_timeout = std::chrono::seconds(10);
    /// How long an operation may wait for a leader and for its commit before "outcome unknown".
    Duration commit_limit = std::chrono::seconds(20);
    /// A membership change that found no quorum by then is an error.
    Duration membership_limit = std::chrono::seconds(30);
    /// The log is compacted when it holds this many applied entries more than `trailing_logs`.
    std::uint64_t snapshot_threshold = 8192;
    std::uint64_t trailing_logs = 10240;
    /// It is also compacted when it holds this many bytes, and then keeps half of them: a few
    /// thousand entries of an import are larger than the pinset they make.
    std::uint64_t log_bytes_max = 256 * 1024 * 1024;
};

/// Ticks per election timeout and per heartbeat.
inline constexpr std::uint32_t kElectionTicks = 10;
inline constexpr std::uint32_t kHeartbeatTicks = 2;
/// A candidate waits this many times longer for votes at most: twice as long after each election
/// nobody won. An answer takes a sync of the candidate's disk and then one of the voter's; where
/// those last longer than an election timeout, every vote would come too late for ever.
inline constexpr std::uint32_t kCandidatePatienceMax = 16;
/// Election timeouts without a message after which a node asks the members, one after another,
/// whether it still is one. A voter would find out by standing for election; a learner that was
/// removed before it heard of it never opens a stream.
inline constexpr int kSilentElections = 3;

}  // namespace ipfscluster::raft
