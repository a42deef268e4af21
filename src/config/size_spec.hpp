#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace ipfscluster::config {

/// An amount of disk space as a person writes it: bytes, a part of the disk, or a rule. A plain
/// value.
struct SizeSpec {
    enum class Unit { automatic, bytes, percent };
    Unit unit = Unit::automatic;
    std::uint64_t amount = 0;

    static constexpr SizeSpec bytes(std::uint64_t n) { return {Unit::bytes, n}; }
    static constexpr SizeSpec percent(std::uint64_t n) { return {Unit::percent, n}; }
    /// "auto", "90%", "1000000", "10GB", "512MiB" (B, kB…TB are powers of 1000, KiB…TiB of 1024).
    static Result<SizeSpec> parse(std::string_view text);
    std::string to_string() const;

    /// In bytes, on a disk of `disk_bytes`; "auto" is the larger of `least` and `part_percent`.
    std::uint64_t resolve(std::uint64_t disk_bytes, std::uint64_t least,
                          std::uint64_t part_percent) const;

    friend bool operator==(const SizeSpec&, const SizeSpec&) = default;
};

}  // namespace ipfscluster::config
