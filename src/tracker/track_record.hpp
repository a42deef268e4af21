#pragma once
#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace ipfscluster::tracker {

/// Longest error text kept; the rest is cut.
inline constexpr std::size_t kErrorTextMax = 1024;
/// The modification index of a damaged record: whatever stands now may be what it was for.
inline constexpr std::uint64_t kIndexUnknown = UINT64_MAX;

/// What must be remembered of one CID over a restart: the outcome of the last attempt. Stored under
/// the CID in the tracker family (docs/formats.md). Without one, a pin of ours is queued.
struct TrackRecord {
    enum class Phase : std::uint8_t {
        pinned = 1,
        pin_error = 2,
        unpin_error = 3,
        unexpectedly_unpinned = 4
    };
    Phase phase = Phase::pinned;
    std::uint64_t modification_index = 0;  ///< of the pin the attempt was for; 0 for an unpin
    std::uint32_t attempts = 0;            ///< failed ones in a row
    Time since = kTimeUnset;               ///< when the phase began
    Time next_retry = kTimeUnset;  ///< set exactly while a `retry` work row with this time exists
    std::uint64_t size_bytes = 0;  ///< fetched by the last successful pin, as far as known
    std::string error;

    friend bool operator==(const TrackRecord&, const TrackRecord&) = default;
};

/// The error text of what the daemon does not hold though the record says that it was pinned.
inline constexpr std::string_view kUnexpected = "the item should be pinned but it is not";

Bytes encode(const TrackRecord& record);
Result<TrackRecord> decode_record(BytesView bytes);
/// As `decode_record`; a row that cannot be read any more counts as a failed pin: what is ours is
/// told again, what is nobody's goes.
Result<TrackRecord> decode_or_failed(BytesView bytes);

/// `text` cut to kErrorTextMax without breaking a UTF-8 character.
std::string shorten(std::string text);

}  // namespace ipfscluster::tracker
