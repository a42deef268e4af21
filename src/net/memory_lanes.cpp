#include "net/memory_lanes.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

namespace ipfscluster::net {

void MemoryLanes::send(const PeerId& from, const PeerId& to, std::function<void()> deliver,
                       std::size_t bytes) {
    if (stopped_) return;
    sent_ += bytes;
    const Key direction(from, to);
    auto& lane = lanes_[direction];
    const auto when = arrival(direction, lane, bytes);
    lane.queue.push_back({when, std::move(deliver), bytes});
    start(direction, lane);
}

SteadyTime MemoryLanes::arrival(const Key& direction, Lane& lane, std::size_t bytes) {
    const auto& link = faults(direction.first, direction.second);
    auto delay = link.delay_low;
    const auto span = static_cast<std::uint64_t>((link.delay_high - link.delay_low).count());
    if (link.delay_high > link.delay_low)
        delay += Duration(static_cast<std::int64_t>(world_.random_u64() % (span + 1)));
    if (link.loss_one_in != 0 && world_.random_u64() % link.loss_one_in == 0)
        delay += link.resend_delay;
    lane.last = std::max(
        lane.last, world_.steady_now() + std::chrono::duration_cast<SteadyTime::duration>(delay));
    if (link.bytes_per_second != 0)
        lane.last += std::chrono::nanoseconds(bytes * 1'000'000'000 / link.bytes_per_second);
    return lane.last;
}

void MemoryLanes::start(const Key& direction, Lane& lane) {
    if (lane.pumping || lane.queue.empty() || is_cut(direction.first, direction.second)) return;
    lane.pumping = true;
    // Posted: a spawned coroutine starts at once, and the sender must not be entered again.
    asio::post(world_.executor(), [self = shared_from_this(), direction] {
        asio::co_spawn(self->world_.executor(), pump(self, direction), asio::detached);
    });
}

asio::awaitable<void> MemoryLanes::pump(std::shared_ptr<MemoryLanes> self, Key direction) {
    while (true) {
        SteadyTime when;
        {
            auto& lane = self->lanes_[direction];
            if (self->stopped_ || lane.queue.empty() ||
                self->is_cut(direction.first, direction.second)) {
                lane.pumping = false;
                co_return;
            }
            when = lane.queue.front().when;
        }
        if (when > self->world_.steady_now()) {
            auto slept = co_await self->world_.sleep_until(when);
            if (!slept) co_return;
            continue;  // cut, healed or stopped meanwhile: look again
        }
        auto& lane = self->lanes_[direction];
        const auto deliver = std::move(lane.queue.front().deliver);
        lane.queue.pop_front();
        deliver();
    }
}

void MemoryLanes::after(Duration delay, std::function<void()> what) {
    asio::co_spawn(world_.executor(), run_after(shared_from_this(), delay, std::move(what)),
                   asio::detached);
}

asio::awaitable<void> MemoryLanes::run_after(std::shared_ptr<MemoryLanes> self, Duration delay,
                                             std::function<void()> what) {
    auto slept = co_await self->world_.sleep_for(delay);
    if (slept && !self->stopped_) what();
}

bool MemoryLanes::loses_gossip(const PeerId& from, const PeerId& to) {
    if (gossip_cut_.contains({from, to})) return true;
    const auto& link = faults(from, to);
    return link.gossip_loss_one_in != 0 && world_.random_u64() % link.gossip_loss_one_in == 0;
}

const LinkFaults& MemoryLanes::faults(const PeerId& a, const PeerId& b) const {
    const auto found = link_faults_.find(key(a, b));
    return found == link_faults_.end() ? faults_ : found->second;
}

void MemoryLanes::set_faults(const PeerId& a, const PeerId& b, LinkFaults faults) {
    link_faults_[key(a, b)] = faults;
}

void MemoryLanes::cut(const PeerId& from, const PeerId& to) {
    if (cut_.insert({from, to}).second) ++cuts_[{from, to}];
}

std::uint64_t MemoryLanes::cuts(const PeerId& from, const PeerId& to) const {
    const auto found = cuts_.find({from, to});
    return found == cuts_.end() ? 0 : found->second;
}

void MemoryLanes::heal(const PeerId& from, const PeerId& to) {
    if (cut_.erase({from, to}) != 0) restart({from, to});
}

void MemoryLanes::restart(const Key& direction) {
    const auto found = lanes_.find(direction);
    if (found == lanes_.end()) return;
    for (auto& packet : found->second.queue)
        packet.when = arrival(direction, found->second, packet.bytes);
    start(direction, found->second);
}

void MemoryLanes::stop() {
    stopped_ = true;
    for (auto& [direction, lane] : lanes_) lane.queue.clear();
}

}  // namespace ipfscluster::net
