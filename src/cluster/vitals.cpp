#include "cluster/vitals.hpp"

namespace ipfscluster::cluster {

namespace {
/// How often it is looked whether the disk has to be asked.
constexpr Duration kDiskLook = std::chrono::seconds(1);
}  // namespace

asio::awaitable<void> Vitals::watch() {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto why = co_await log_.wait_ended();
    if (why.kind != Kind::cancelled) ended_ = true;
}

asio::awaitable<void> Vitals::watch_disk() {
    co_await asio::this_coro::throw_if_cancelled(false);
    while (true) {
        auto slept = co_await world_.sleep_for(kDiskLook);
        if (!slept) co_return;
        if (world_.steady_now() - store_.synced_at() < kDiskAskedAtLeast) continue;
        // Where nothing is written no disk is asked: a change that changes nothing asks it.
        storage::Batch nothing;
        nothing.del(storage::Family::meta, "disk watch");
        auto asked = co_await store_.write_synced(std::move(nothing));
        if (!asked && asked.error().kind == Kind::cancelled) co_return;
    }
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
