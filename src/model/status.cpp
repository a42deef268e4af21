#include "model/status.hpp"

#include <array>
#include <utility>

#include "base/text.hpp"

namespace ipfscluster {

namespace {
constexpr std::array<std::pair<TrackerStatus, std::string_view>, 15> kNames{{
    {TrackerStatus::undefined, "undefined"},
    {TrackerStatus::cluster_error, "cluster_error"},
    {TrackerStatus::pin_error, "pin_error"},
    {TrackerStatus::unpin_error, "unpin_error"},
    {TrackerStatus::error, "error"},
    {TrackerStatus::pinned, "pinned"},
    {TrackerStatus::pinning, "pinning"},
    {TrackerStatus::unpinning, "unpinning"},
    {TrackerStatus::unpinned, "unpinned"},
    {TrackerStatus::remote, "remote"},
    {TrackerStatus::pin_queued, "pin_queued"},
    {TrackerStatus::unpin_queued, "unpin_queued"},
    {TrackerStatus::queued, "queued"},
    {TrackerStatus::sharded, "sharded"},
    {TrackerStatus::unexpectedly_unpinned, "unexpectedly_unpinned"},
}};
}  // namespace

std::string_view to_string(TrackerStatus status) {
    for (const auto& [value, name] : kNames)
        if (value == status) return name;
    return "undefined";
}

std::optional<TrackerStatus> parse_status(std::string_view text) {
    for (const auto& [value, name] : kNames)
        if (name == text) return value;
    return std::nullopt;
}

Result<StatusFilter> parse_status_filter(std::string_view text) {
    StatusFilter filter = 0;
    for (const auto word : split_words(text))
        if (const auto status = parse_status(word)) filter |= static_cast<StatusFilter>(*status);
    if (!text.empty() && filter == 0)
        return fail(Kind::invalid, "filter \"" + std::string(text) + "\" names no known status");
    return filter;
}

void GlobalPinInfo::add(const PinInfo& row) {
    if (row.info.status != TrackerStatus::cluster_error || peer_map.empty()) {
        cid = row.cid;
        name = row.name;
        allocations = row.allocations;
        origins = row.origins;
        created = row.created;
        metadata = row.metadata;
    }
    peer_map[row.peer] = row.info;
}

}  // namespace ipfscluster
