#include "http/range.hpp"

#include <algorithm>
#include <charconv>

namespace ipfscluster::http {

namespace {
std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || ec != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}
}  // namespace

RangeAnswer parse_range(std::string_view field, std::uint64_t size) {
    const RangeAnswer whole{RangeKind::whole, {0, size}};
    constexpr std::string_view kUnit = "bytes=";
    if (!field.starts_with(kUnit)) return whole;
    field.remove_prefix(kUnit.size());
    const auto dash = field.find('-');
    if (dash == std::string_view::npos || field.find(',') != std::string_view::npos) return whole;
    const auto first = number(field.substr(0, dash));
    const auto last = number(field.substr(dash + 1));
    if (dash == 0) {
        if (!last) return whole;
        if (*last == 0 || size == 0) return {RangeKind::unsatisfiable, {}};
        const auto length = std::min(*last, size);
        return {RangeKind::part, {size - length, length}};
    }
    if (!first || (!last && dash + 1 != field.size()) || (last && *last < *first)) return whole;
    if (*first >= size) return {RangeKind::unsatisfiable, {}};
    const auto end = last ? std::min(*last, size - 1) : size - 1;
    return {RangeKind::part, {*first, end - *first + 1}};
}

}  // namespace ipfscluster::http
