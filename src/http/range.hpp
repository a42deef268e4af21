#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace ipfscluster::http {

struct ByteRange {
    std::uint64_t first = 0;
    std::uint64_t length = 0;
    friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

enum class RangeKind { whole, part, unsatisfiable };
struct RangeAnswer {
    RangeKind kind = RangeKind::whole;
    ByteRange range;
};

/// What a `Range` field asks of `size` bytes (RFC 9110 14.2). A form we do not serve (several
/// ranges, another unit, malformed) is passed over: the whole is a right answer to it. Pure.
RangeAnswer parse_range(std::string_view field, std::uint64_t size);

}  // namespace ipfscluster::http
