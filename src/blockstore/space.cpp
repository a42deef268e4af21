#include "blockstore/space.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/log.hpp"
#include "blockstore/record.hpp"

namespace ipfscluster::blockstore {
namespace {
constexpr std::uint64_t kSpareBytes = 8u << 20;
/// Below this the spare is given up; above the second it is made again.
constexpr std::uint64_t kSpareGiveBytes = 4u << 20;
constexpr std::uint64_t kSpareTakeBytes = 32u << 20;
}  // namespace

Result<DiskSpace> disk_space(const std::string& folder) {
    struct statvfs st {};
    if (::statvfs(folder.c_str(), &st) != 0)
        return fail(Kind::internal, fmt::format("cannot ask for the space of {}: {}", folder,
                                                std::strerror(errno)));
    return DiskSpace{static_cast<std::uint64_t>(st.f_blocks) * st.f_frsize,
                     static_cast<std::uint64_t>(st.f_bavail) * st.f_frsize};
}

std::uint64_t default_storage_max(const DiskSpace& disk) {
    return disk.total / 100 * kStorageMaxPercent;
}

std::uint64_t default_reserve(const DiskSpace& disk) {
    return std::max(kReserveBytesMin, disk.total / 100 * kReservePercent);
}

SpaceGuard::SpaceGuard(World& world, std::string folder, std::string peer,
                       std::uint64_t storage_max, std::uint64_t reserve)
    : world_(world),
      folder_(std::move(folder)),
      peer_(std::move(peer)),
      storage_max_(storage_max),
      reserve_(std::max(reserve, kHeadroomBytes)) {}

Error SpaceGuard::disk_full(const std::string& detail) const {
    return {Kind::disk_full, fmt::format("disk full on {}: {}", peer_, detail)};
}

Result<> SpaceGuard::look() {
    ICL_TRY(const auto space, disk_space(folder_));
    available_ = space.available;
    admitted_ = 0;
    looked_ = world_.steady_now();
    fresh_ = true;
    if (mind_spare()) {
        ICL_TRY(const auto now, disk_space(folder_));
        available_ = now.available;
    }
    return ok();
}

bool SpaceGuard::mind_spare() {
    const auto path = folder_ + "/spare";
    if (available_ < kSpareGiveBytes) {
        if (::unlink(path.c_str()) != 0) return false;
        logger("blockstore")
            ->warn("the disk is full, the spare file is given up folder={}", folder_);
        return true;
    }
    if (available_ < reserve_ + kSpareTakeBytes || ::access(path.c_str(), F_OK) == 0) return false;
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return false;
    if (::posix_fallocate(fd, 0, static_cast<off_t>(kSpareBytes)) != 0) ::unlink(path.c_str());
    ::close(fd);
    return false;
}

Result<> SpaceGuard::admit(std::uint64_t used, std::uint64_t bytes) {
    if (storage_max_ != 0 && used + bytes > storage_max_)
        return fail(disk_full(fmt::format(
            "the block store holds {} of at most {} bytes (storage_max)", used, storage_max_)));
    const bool due = !fresh_ || admitted_ + bytes > kSpaceCheckBytes ||
                     world_.steady_now() - looked_ > kSpaceCheckAge;
    if (due) {
        ICL_TRY(look());
    }
    // What was admitted may still be in memory, so it counts against what the disk says.
    const auto fits = [&] { return available_ >= reserve_ + admitted_ + bytes; };
    if (!fits() && !due) {
        ICL_TRY(look());  // nothing is refused because of an old look
    }
    if (!fits()) {
        fresh_ = false;
        return fail(disk_full(fmt::format("{} bytes are left in {}, {} are kept in reserve",
                                          available_, folder_, reserve_)));
    }
    admitted_ += bytes;
    return ok();
}

Result<> SpaceGuard::check(std::uint64_t used) {
    fresh_ = false;
    return admit(used, 0);
}

std::uint64_t SpaceGuard::storage_max(std::uint64_t used) const {
    if (looked_ == SteadyTime{}) return storage_max_;
    const auto room = available_ > reserve_ ? available_ - reserve_ : 0;
    return storage_max_ == 0 ? used + room : std::min(storage_max_, used + room);
}

bool SpaceGuard::tight(std::uint64_t used) {
    if (storage_max_ != 0 && used + kRecordBytesMax > storage_max_) return true;
    return !look() || available_ < reserve_ + kRecordBytesMax;
}

bool SpaceGuard::may_move(std::uint64_t bytes) {
    const bool looked = look().has_value();
    return bytes == 0 || (looked && available_ >= bytes + kSpareGiveBytes);
}

}  // namespace ipfscluster::blockstore
