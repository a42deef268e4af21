#pragma once
#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "runtime/world.hpp"

namespace ipfscluster::blockstore {

inline constexpr std::uint64_t kReserveBytesMin = 1ull << 30;
inline constexpr int kReservePercent = 2;
inline constexpr int kStorageMaxPercent = 90;
/// Kept free whatever the configuration says: the index and a collection need room to work.
inline constexpr std::uint64_t kHeadroomBytes = 16u << 20;
/// The disk is asked again after this time or this many bytes.
inline constexpr std::chrono::milliseconds kSpaceCheckAge{200};
inline constexpr std::uint64_t kSpaceCheckBytes = 4u << 20;

struct DiskSpace {
    std::uint64_t total = 0;
    std::uint64_t available = 0;  ///< to a user without privileges
};
Result<DiskSpace> disk_space(const std::string& folder);

/// The defaults for a disk: 90 % of it, and the larger of 1 GiB and 2 %.
std::uint64_t default_storage_max(const DiskSpace& disk);
std::uint64_t default_reserve(const DiskSpace& disk);

/// Decides whether more blocks may be written. Keeps a small spare file in the folder that is given
/// up when somebody else has filled the disk, so that index and garbage collection can still write.
/// One strand.
class SpaceGuard {
 public:
    SpaceGuard(World& world, std::string folder, std::string peer, std::uint64_t storage_max,
               std::uint64_t reserve);
    /// ok when `bytes` more fit, with `used` taken by the store. Else `disk_full`: "disk full on
    /// PEER: …".
    Result<> admit(std::uint64_t used, std::uint64_t bytes);
    /// The same for nothing yet, with a fresh look at the disk.
    Result<> check(std::uint64_t used);
    /// True when the largest block would be refused, after a fresh look at the disk.
    bool tight(std::uint64_t used);
    /// Whether there is room to move `bytes` while segments are rewritten; the reserve may be used
    /// for it. Always true for nothing: then a segment only goes.
    bool may_move(std::uint64_t bytes);
    /// The same failure for an ENOSPC that the system reported.
    Error disk_full(const std::string& detail) const;
    /// What a store that has `used` bytes can grow to, as of the last look at the disk.
    std::uint64_t storage_max(std::uint64_t used) const;

 private:
    Result<> look();
    /// True when it has given the spare up.
    bool mind_spare();

    World& world_;
    std::string folder_;
    std::string peer_;
    std::uint64_t storage_max_;
    std::uint64_t reserve_;
    std::uint64_t available_ = 0;
    std::uint64_t admitted_ = 0;  // since the last look
    SteadyTime looked_{};
    bool fresh_ = false;
};

}  // namespace ipfscluster::blockstore
