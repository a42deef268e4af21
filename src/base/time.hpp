#pragma once
#include <chrono>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace ipfscluster {

using Duration = std::chrono::nanoseconds;
/// Wall clock time; the epoch itself means "unset" (Go's zero time, written 0001-01-01T00:00:00Z).
using Time = std::chrono::sys_time<std::chrono::nanoseconds>;
inline constexpr Time kTimeUnset{};

/// Go's duration text: `1h30m`, `300ms`, `1.5s`, `0`; units ns us µs ms s m h. `invalid` otherwise.
Result<Duration> parse_go_duration(std::string_view text);
/// As Go prints it: `5m0s`, `200ms`, `1.5s`, `0s`.
std::string format_go_duration(Duration value);

/// RFC 3339 with optional fraction and offset; the zero time gives kTimeUnset.
Result<Time> parse_rfc3339(std::string_view text);
/// UTC with up to nine fractional digits, trailing zeros trimmed.
std::string format_rfc3339(Time value);

/// Whole seconds since the epoch, the precision stored pins have.
inline Time truncate_to_seconds(Time value) {
    return std::chrono::floor<std::chrono::seconds>(value);
}

}  // namespace ipfscluster
