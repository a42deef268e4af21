#include "config/size_spec.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace ipfscluster::config {
namespace {

constexpr std::array<std::pair<std::string_view, std::uint64_t>, 12> kUnits{{
    {"", 1},
    {"B", 1},
    {"kB", 1000},
    {"KB", 1000},
    {"MB", 1000'000},
    {"GB", 1000'000'000},
    {"TB", 1000'000'000'000},
    {"KiB", 1ULL << 10},
    {"MiB", 1ULL << 20},
    {"GiB", 1ULL << 30},
    {"TiB", 1ULL << 40},
    {"PB", 1000'000'000'000'000},
}};

std::uint64_t part(std::uint64_t whole, std::uint64_t percent) {
    return whole / 100 * percent + whole % 100 * percent / 100;
}

}  // namespace

Result<SizeSpec> SizeSpec::parse(std::string_view text) {
    if (text == "auto") return SizeSpec{};
    std::uint64_t amount = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, amount);
    const auto bad = [&] {
        return fail(Kind::invalid, "\"" + std::string(text.substr(0, 64)) +
                                       "\" is no size (such as 90%, 10GB, 512MiB or auto)");
    };
    if (error != std::errc{}) return bad();
    const std::string_view unit(rest, static_cast<std::size_t>(end - rest));
    if (unit == "%") {
        if (amount > 100) return bad();
        return percent(amount);
    }
    for (const auto& [name, factor] : kUnits) {
        if (name != unit) continue;
        if (amount > UINT64_MAX / factor) return bad();
        return bytes(amount * factor);
    }
    return bad();
}

std::string SizeSpec::to_string() const {
    if (unit == Unit::automatic) return "auto";
    return std::to_string(amount) + (unit == Unit::percent ? "%" : "");
}

std::uint64_t SizeSpec::resolve(std::uint64_t disk_bytes, std::uint64_t least,
                                std::uint64_t part_percent) const {
    if (unit == Unit::bytes) return amount;
    if (unit == Unit::percent) return part(disk_bytes, amount);
    return std::max(least, part(disk_bytes, part_percent));
}

}  // namespace ipfscluster::config
