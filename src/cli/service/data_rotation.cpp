#include "cli/service/data_rotation.hpp"

#include <filesystem>

namespace ipfscluster::service {

namespace fs = std::filesystem;

Result<> rotate_data(const std::string& folder, std::int64_t keep) {
    const auto name = [&](std::int64_t n) { return folder + ".old." + std::to_string(n); };
    std::error_code ec;
    std::int64_t there = 0;
    while (there < keep && fs::exists(name(there), ec)) ++there;
    if (there == keep) {
        fs::remove_all(name(keep - 1), ec);
        if (ec) return fail(Kind::denied, "cannot remove " + name(keep - 1) + ": " + ec.message());
        --there;
    }
    for (auto n = there; n > 0 && !ec; --n) fs::rename(name(n - 1), name(n), ec);
    if (!ec) fs::rename(folder, name(0), ec);
    if (ec) return fail(Kind::denied, "cannot move " + folder + ": " + ec.message());
    return ok();
}

}  // namespace ipfscluster::service
