#pragma once
#include <optional>
#include <string_view>

#include "base/planted.hpp"

namespace ipfscluster::test {

/// Every planted bug by its name.
struct NamedBug {
    Bug bug;
    std::string_view name;
    /// Simulated runs of the ordeal notice it within some hundred seeds, and a schedule is stored.
    /// Otherwise one named test does, which CTest runs with the bug (test/sim/ordeal).
    bool in_ordeal;
};
inline constexpr NamedBug kPlantedBugs[] = {
    {Bug::expected_index_ignored, "expected_index_ignored", true},
    {Bug::repetitions_accepted, "repetitions_accepted", true},
    {Bug::sessions_left_behind, "sessions_left_behind", true},
    {Bug::snapshot_before_its_rows, "snapshot_before_its_rows", false},
    {Bug::work_row_apart, "work_row_apart", true},
    {Bug::told_before_durable, "told_before_durable", true},
    {Bug::removed_may_return, "removed_may_return", false},
    {Bug::founders_forgotten, "founders_forgotten", true},
    {Bug::sync_covers_too_much, "sync_covers_too_much", true},
    {Bug::commit_index_dropped, "commit_index_dropped", true},
    {Bug::reads_not_awaited, "reads_not_awaited", true},
    {Bug::applied_not_installed, "applied_not_installed", true},
    {Bug::copies_let_go, "copies_let_go", true},
    {Bug::failed_before_untried, "failed_before_untried", false},
    {Bug::syncs_among_names, "syncs_among_names", false},
    {Bug::members_forgotten, "members_forgotten", false},
    {Bug::read_before_written, "read_before_written", false},
    {Bug::allocations_count_as_copies, "allocations_count_as_copies", false},
    {Bug::transfers_begin_anew, "transfers_begin_anew", false},
    {Bug::links_outlive_nodes, "links_outlive_nodes", false},
    {Bug::own_clock_believed, "own_clock_believed", false},
};

inline std::optional<Bug> planted_bug_of(std::string_view name) {
    for (const auto& each : kPlantedBugs)
        if (each.name == name) return each.bug;
    return std::nullopt;
}

}  // namespace ipfscluster::test
