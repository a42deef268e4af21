#pragma once
#include <cstdint>

namespace ipfscluster {

/// Mistakes that tests put into the code to see that somebody notices. Each stands at the one place
/// it is about, as `planted(Bug::…)`; test/sim/ordeal/README.md says who notices which.
enum class Bug : std::uint8_t {
    none,
    expected_index_ignored,    ///< an operation is applied whatever it was planned on
    repetitions_accepted,      ///< a proposal that arrives twice is applied twice
    sessions_left_behind,      ///< snapshots carry no sessions
    snapshot_before_its_rows,  ///< a snapshot may be frozen between an entry and its rows
    work_row_apart,            ///< a work row is not written with the pin it belongs to
    told_before_durable,       ///< a pin is told to the daemon before its operation is on the disk
    removed_may_return,        ///< an addition under way brings a removed node back
    founders_forgotten,        ///< nobody remembers a founder that lost its disk
    sync_covers_too_much,      ///< what was written during a sync counts as synced
    commit_index_dropped,      ///< the commit index is not stored before what it lets apply
    reads_not_awaited,         ///< a strong read answers at once
    applied_not_installed,     ///< a snapshot is taken over without its index
    // One for each way in which content or service was lost once
    copies_let_go,          ///< who lost a pin to others lets its copy go at once
    failed_before_untried,  ///< pins that failed take the workers before those never tried
    syncs_among_names,      ///< the log's sync waits for name look-ups
    members_forgotten,      ///< a founder without its data founds anew beside its cluster
    read_before_written,    ///< a strong read is answered before a snapshot's rows are visible
    allocations_count_as_copies,  ///< a removal takes who was given a pin for one that holds it
    transfers_begin_anew,         ///< a snapshot transfer ends with its first break
    links_outlive_nodes,          ///< what is kept for a node stays when it has gone
    own_clock_believed,           ///< one peer's clock decides what has expired
};

#ifdef NDEBUG
/// Builds that are installed have none of them.
constexpr bool planted(Bug) {
    return false;
}
#else
/// One at a time; set by tests only, before the peers it is about are made.
inline Bug planted_bug = Bug::none;
inline bool planted(Bug bug) {
    return planted_bug == bug;
}
#endif

}  // namespace ipfscluster
