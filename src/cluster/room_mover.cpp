#include "cluster/room_mover.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.hpp"

namespace ipfscluster::cluster {

asio::awaitable<void> RoomMover::run() {
    if (options_.disable_repinning || options_.follower) co_return;
    const auto interval =
        std::clamp<Duration>(options_.repin_grace, kRoomLookMin, kRoomLookInterval);
    while (true) {
        auto slept = co_await parts_.world.sleep_for(interval);
        if (!slept) co_return;
        auto moved = co_await move_all();
        if (!moved && moved.error().kind == Kind::cancelled) co_return;
    }
}

Async<> RoomMover::move_all() {
    const auto failed = parts_.tracker.without_room_since(
        parts_.world.steady_now() -
        std::chrono::duration_cast<SteadyTime::duration>(options_.repin_grace));
    const auto pause =
        Duration(std::chrono::seconds(1)) / static_cast<std::int64_t>(options_.repin_rate);
    std::size_t moved = 0, stay = 0;
    std::string why;
    for (const auto& cid : failed) {
        auto given = co_await pinner_.give_away(cid, parts_.host.id());
        if (!given) {
            if (given.error().kind == Kind::cancelled) co_return fail(given.error());
            ++stay;
            if (why.empty()) why = given.error().text;
        } else if (given.value() == Repin::moved) {
            ++moved;
        }
        auto slept = co_await parts_.world.sleep_for(pause);
        if (!slept) co_return slept;
    }
    if (moved > 0)
        logger("cluster")->warn(
            "there was no room here for pins, so others were given them count={}", moved);
    if (moved > 0 || stay == 0) told_ = false;
    if (stay > 0 && !std::exchange(told_, true)) {
        Metric about{.name = "room", .peer = parts_.host.id()};
        about.value = fmt::format(
            "there is no room here for {} pins, and they cannot be given to others: {}", stay, why);
        parts_.monitor.raise(std::move(about));
    }
    co_return ok();
}

}  // namespace ipfscluster::cluster
