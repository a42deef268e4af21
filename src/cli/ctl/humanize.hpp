#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.hpp"

/// Numbers as people read them, in the words the Go programs use. Pure.
namespace ipfscluster::ctl {

/// `364 B`, `1.6 kB`, `10 GB`: powers of 1000.
std::string human_bytes(std::uint64_t bytes);
/// `18 seconds from now`, `1 minute ago`, `now`; rounded down.
std::string relative_time(Time when, Time now);
/// Left-justified to `width` characters (not bytes).
std::string padded(std::string_view text, std::size_t width);
/// `2026-01-31 12:00:00`, in UTC.
std::string plain_time(Time when);

}  // namespace ipfscluster::ctl
