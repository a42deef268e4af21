#include "cluster/vitals.hpp"

namespace ipfscluster::cluster {

asio::awaitable<void> Vitals::watch() {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto why = co_await log_.wait_ended();
    if (why.kind != Kind::cancelled) ended_ = true;
}

Result<> Vitals::check() const {
    if (ended_) return fail(Kind::unavailable, "consensus has ended here");
    const Duration age = world_.steady_now() - store_.synced_at();
    if (age > kSyncAgeMax)
        return fail(Kind::unavailable,
                    "the disk of the database has synced nothing for " +
                        format_go_duration(std::chrono::floor<std::chrono::seconds>(age)));
    return ok();
}

}  // namespace ipfscluster::cluster
