#include "adder/block_fanout.hpp"

#include <algorithm>

#include "base/log.hpp"

namespace ipfscluster::adder {

BlockFanout::BlockFanout(World& world, std::vector<Destination> destinations)
    : world_(world), room_(world.executor()), tasks_(world, "adder") {
    for (auto& destination : destinations) {
        auto lane = std::make_shared<Lane>(std::move(destination), world.executor());
        lane->progress_at = world.steady_now();
        lanes_.push_back(lane);
        tasks_.spawn(drive(lane));
    }
}

BlockFanout::~BlockFanout() = default;

void BlockFanout::drop(Lane& lane, std::string why) {
    if (lane.finished) return;
    logger("adder")->warn("a destination was given up peer={} error=\"{}\"",
                          lane.destination.peer.to_string(), why);
    lane.error = std::move(why);
    lane.finished = true;
    lane.queue.clear();
    lane.queued_bytes = 0;
    lane.changed.notify_all();
    room_.notify_all();
}

bool BlockFanout::is_full(const Lane& lane) {
    return !lane.finished && lane.queued_bytes > kOutstandingBytesMax;
}

bool BlockFanout::is_running(const Lane& lane) {
    return !lane.finished;
}

bool BlockFanout::any_alive() const {
    return std::any_of(lanes_.begin(), lanes_.end(),
                       [](const auto& lane) { return lane->error.empty(); });
}

asio::awaitable<void> BlockFanout::drive(std::shared_ptr<Lane> lane) {
    auto done = co_await drive_checked(lane);
    if (!done) drop(*lane, done.error().text);
    lane->finished = true;
    room_.notify_all();
}

Async<> BlockFanout::drive_checked(std::shared_ptr<Lane> lane) {
    while (!lane->finished) {
        if (lane->queue.empty()) {
            if (lane->closing) {
                // A sync may take as long as a stall on top of the blocks before it.
                lane->progress_at = world_.steady_now();
                auto committed = co_await lane->destination.session->commit();
                co_return committed;
            }
            auto woken = co_await lane->changed.wait();
            if (!woken) co_return woken;
            continue;
        }
        auto block = lane->queue.front();
        lane->queue.pop_front();
        const auto size = block->data.size();
        // The last lane to send a block gives its bytes away.
        Bytes data = block.use_count() == 1 ? std::move(block->data) : block->data;
        auto stored = co_await lane->destination.session->put_verified(block->cid, std::move(data));
        if (!stored) co_return stored;
        lane->queued_bytes -= std::min(lane->queued_bytes, size);
        lane->progress_at = world_.steady_now();
        room_.notify_all();
    }
    co_return ok();
}

Async<> BlockFanout::put(Cid cid, Bytes data) {
    auto block = std::make_shared<Block>(Block{std::move(cid), std::move(data)});
    for (auto& lane : lanes_) {
        if (lane->finished) continue;
        // Nothing was asked of an idle destination; its time begins now.
        if (lane->queued_bytes == 0) lane->progress_at = world_.steady_now();
        lane->queue.push_back(block);
        lane->queued_bytes += block->data.size();
        lane->changed.notify_all();
    }
    block.reset();
    while (true) {
        if (!any_alive())
            co_return fail(Kind::unavailable,
                           "failed to put block on all destinations: " + failures());
        if (std::none_of(lanes_.begin(), lanes_.end(),
                         [](const auto& lane) { return is_full(*lane); }))
            co_return ok();
        ICL_CO_TRY(co_await wait_for_room(is_full));
    }
}

Async<> BlockFanout::wait_for_room(bool (*waited_for)(const Lane&)) {
    auto woken = co_await with_deadline(world_, kDestinationStallMax, "destination", room_.wait());
    if (!woken && woken.error().kind != Kind::timeout) co_return woken;
    for (auto& lane : lanes_)
        if (waited_for(*lane) && world_.steady_now() - lane->progress_at >= kDestinationStallMax)
            drop(*lane, "it took no block for " + format_go_duration(kDestinationStallMax));
    co_return ok();
}

Async<std::vector<PeerId>> BlockFanout::commit() {
    for (auto& lane : lanes_) {
        lane->closing = true;
        lane->changed.notify_all();
    }
    while (std::any_of(lanes_.begin(), lanes_.end(),
                       [](const auto& lane) { return is_running(*lane); })) {
        ICL_CO_TRY(co_await wait_for_room(is_running));
    }
    std::vector<PeerId> confirmed;
    for (const auto& lane : lanes_)
        if (lane->error.empty()) confirmed.push_back(lane->destination.peer);
    if (confirmed.empty())
        co_return fail(Kind::unavailable, "failed to put block on all destinations: " + failures());
    co_return confirmed;
}

std::string BlockFanout::failures() const {
    std::string out;
    for (const auto& lane : lanes_) {
        if (lane->error.empty()) continue;
        if (!out.empty()) out += "; ";
        out += lane->destination.peer.to_string() + ": " + lane->error;
    }
    return out;
}

Async<> BlockFanout::stop() {
    auto stopped = co_await tasks_.stop();
    co_return stopped;
}

}  // namespace ipfscluster::adder
