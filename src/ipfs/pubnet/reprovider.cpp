#include "ipfs/pubnet/reprovider.hpp"

#include <boost/asio/this_coro.hpp>

#include "base/log.hpp"

namespace ipfscluster::pubnet {

Reprovider::Reprovider(World& world, net::ContentRouting& routing, KeySource keys,
                       Duration interval)
    : world_(world),
      routing_(routing),
      keys_(std::move(keys)),
      interval_(interval),
      tasks_(world, "reprovider"),
      more_(world.executor()),
      room_(world.executor()) {}

void Reprovider::start() {
    for (std::size_t i = 0; i < kProvidesMax; ++i) tasks_.spawn(worker());
    tasks_.spawn(rounds());
}

void Reprovider::add(const Cid& cid) {
    // A block inside its own CID needs nobody to provide it.
    if (cid.multihash().starts_with(char{})) return;
    if (push(Bytes(cid.multihash())) || overflowed_) return;
    overflowed_ = true;
    logger("pubnet")->warn(
        "new content comes faster than the public network can be told of it; "
        "the rest is told with the next round");
}

bool Reprovider::push(Bytes multihash) {
    if (queued_.contains(multihash)) return true;
    if (queue_.size() >= kProvideQueueMax) return false;
    queued_.insert(multihash);
    queue_.push_back(std::move(multihash));
    more_.notify_one();
    return true;
}

asio::awaitable<void> Reprovider::rounds() {
    co_await asio::this_coro::throw_if_cancelled(false);
    while (true) {
        const auto begin = world_.steady_now();
        const auto before = told_, failed_before = failed_;
        overflowed_ = false;
        auto done = co_await round();
        if (!done && done.error().kind == Kind::cancelled) co_return;
        if (!done)
            logger("pubnet")->error("telling the public network what is here failed error=\"{}\"",
                                    done.error().text);
        else if (told_ != before || failed_ != failed_before)
            logger("pubnet")->info("told the public network of {} blocks, {} could not be told",
                                   told_ - before, failed_ - failed_before);
        auto slept = co_await world_.sleep_until(
            begin + std::chrono::duration_cast<SteadyTime::duration>(interval_));
        if (!slept) co_return;
    }
}

Async<> Reprovider::round() {
    auto source = keys_();
    while (true) {
        ICL_CO_TRY(auto multihash, co_await source->next());
        if (!multihash) break;
        while (!push(*multihash)) {
            ICL_CO_TRY(co_await room_.wait());
        }
    }
    while (!queued_.empty()) {
        ICL_CO_TRY(co_await room_.wait());
    }
    co_return ok();
}

asio::awaitable<void> Reprovider::worker() {
    co_await asio::this_coro::throw_if_cancelled(false);
    Duration pause = kProvideRetry;
    while (true) {
        if (queue_.empty()) {
            auto woken = co_await more_.wait();
            if (!woken) co_return;
            continue;
        }
        const auto multihash = queue_.front();
        queue_.pop_front();
        auto told = co_await routing_.provide(multihash, kProvideLimit);
        if (!told && (told.error().kind == Kind::cancelled || tasks_.stopping())) co_return;
        if (!told &&
            (told.error().kind == Kind::unsupported || told.error().kind == Kind::unavailable)) {
            // Not this block's fault: it keeps its place.
            queue_.push_front(multihash);
            if (!held_up_)
                logger("pubnet")->info(
                    "nothing can be told to the public network yet reason=\"{}\"",
                    told.error().text);
            held_up_ = true;
            auto slept = co_await world_.sleep_for(pause);
            if (!slept) co_return;
            pause = std::min<Duration>(pause * 2, kProvideRetryMax);
            continue;
        }
        pause = kProvideRetry;
        queued_.erase(multihash);
        room_.notify_all();
        if (told) {
            held_up_ = false;
            ++told_;
        } else {
            ++failed_;
            logger("pubnet")->debug("a block could not be told error=\"{}\"", told.error().text);
        }
    }
}

}  // namespace ipfscluster::pubnet
