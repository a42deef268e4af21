#include "ipfs/node/pin_walk.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>

#include "base/log.hpp"
#include "blockstore/leaf.hpp"
#include "component/pin_pace.hpp"
#include "ipfs/node/hash_check.hpp"
#include "runtime/turn.hpp"

namespace ipfscluster::node {

PinWalk::PinWalk(const NodeParts& parts, Cid root, int depth, component::ProgressHandler progress)
    : parts_(parts),
      walk_(std::move(root), depth < 0 ? dag::kDepthUnlimited : depth),
      progress_(std::move(progress)),
      last_progress_(parts.world.steady_now()),
      more_(parts.world.executor()),
      failed_(parts.world.executor()) {}

Async<> PinWalk::run() {
    using namespace asio::experimental::awaitable_operators;
    co_await asio::this_coro::throw_if_cancelled(false);
    auto root = walk_.next();
    ICL_CO_TRY(co_await visit(*root));
    ICL_CO_TRY(co_await check_cancelled());
    // Each ends the other: after a failure nobody waits for blocks that are under way.
    if (!walk_.done()) co_await (run_workers(kPinWorkers) || until_failure());
    if (failure_) co_return fail(*failure_);
    if (!walk_.done()) co_return fail(Kind::cancelled, "the pin was cancelled");
    co_return ok();
}

asio::awaitable<void> PinWalk::until_failure() {
    co_await asio::this_coro::throw_if_cancelled(false);
    while (!failure_) {
        auto woken = co_await failed_.wait();
        if (!woken) break;
    }
}

asio::awaitable<void> PinWalk::run_workers(std::size_t count) {
    using namespace asio::experimental::awaitable_operators;
    co_await asio::this_coro::throw_if_cancelled(false);
    if (count == 1)
        co_await worker();
    else
        co_await (worker() && run_workers(count - 1));
}

asio::awaitable<void> PinWalk::worker() {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto done = co_await work();
    if (!done && !failure_) failure_ = done.error();
    if (failure_) failed_.notify_all();
    more_.notify_all();
}

Async<> PinWalk::work() {
    std::size_t steps = 0;
    while (!failure_) {
        ICL_CO_TRY(co_await check_cancelled());
        auto step = walk_.next();
        if (!step) {
            if (walk_.done()) break;
            ICL_CO_TRY(co_await more_.wait());
            continue;
        }
        ICL_CO_TRY(co_await visit(std::move(*step)));
        more_.notify_all();
        if (++steps % kRowsPerTurn == 0) {
            ICL_CO_TRY(co_await take_turn());
        }
    }
    co_return ok();
}

Async<> PinWalk::visit(dag::DagWalk::Step step) {
    if (auto inlined = blockstore::inlined_data(step.cid)) co_return walk_.arrived(step, *inlined);
    ICL_CO_TRY(auto held, co_await find_held(step.cid));
    if (!held) {
        // Only here: what is held whole needs no room, and must be registered on a full disk too.
        ICL_CO_TRY(parts_.blocks.check_space());
        ICL_CO_TRY(auto data, co_await fetch(step.cid));
        std::vector<dag::Block> blocks;
        blocks.push_back({step.cid, data});
        ICL_CO_TRY(co_await parts_.blocks.put(std::move(blocks)));
        parts_.fetcher->announce(step.cid);
        const auto size = static_cast<std::uint32_t>(data.size());
        held = Held{false, std::move(data), size};
    }
    advanced(held->size);
    if (held->leaf) {
        walk_.skip(step);
        co_return ok();
    }
    auto taken = walk_.arrived(step, held->data);
    if (!taken) co_return fail(taken.error().in("block " + step.cid.to_string()));
    co_return ok();
}

Async<std::optional<PinWalk::Held>> PinWalk::find_held(Cid cid) {
    const Bytes multihash(cid.multihash());
    ICL_CO_TRY(const auto size, parts_.blocks.size(multihash));
    if (!size) co_return std::optional<Held>{};
    parts_.removals.met(multihash);
    // See Collector: a run that is under way must not take what this pin relies on.
    if (parts_.collector.running()) {
        ICL_CO_TRY(parts_.blocks.touch(multihash));
    }
    if (blockstore::surely_leaf(cid, {}, *size))
        co_return std::optional<Held>(Held{true, {}, *size});
    if (cid.codec() == static_cast<std::uint64_t>(Codec::dag_pb)) {
        auto prefix = co_await parts_.blocks.get_prefix(multihash, blockstore::kLeafPrefixBytes);
        if (prefix && prefix.value() && blockstore::surely_leaf(cid, *prefix.value(), *size))
            co_return std::optional<Held>(Held{true, {}, *size});
    }
    auto data = co_await parts_.blocks.get(multihash);
    if (data) {
        if (!data.value()) co_return std::optional<Held>{};
        co_return std::optional<Held>(Held{false, std::move(*data.value()), *size});
    }
    if (data.error().kind != Kind::corrupt) co_return fail(data.error());
    logger("ipfsnode")
        ->error("a stored block is damaged, it is fetched anew cid={} error=\"{}\"",
                cid.to_string(), data.error().text);
    ICL_CO_TRY(parts_.blocks.forget(multihash));
    co_return std::optional<Held>{};
}

Async<Bytes> PinWalk::fetch(Cid cid) {
    ICL_CO_TRY(check_hash(cid));
    if (parts_.fetcher == nullptr)
        co_return fail(Kind::not_found, "block " + cid.to_string() + " was not found: " +
                                            where_looked(parts_.options, nullptr));
    if (!session_) session_ = parts_.fetcher->session();
    const auto limit = parts_.options.pin_timeout;
    while (true) {
        // A pin that stands still asks for one block: many such must not take all the wants that
        // others need.
        while (stands_still() && asking_ > 0) {
            ICL_CO_TRY(co_await more_.wait());
            if (failure_) co_return fail(*failure_);
        }
        const auto left = last_progress_ + std::chrono::duration_cast<SteadyTime::duration>(limit) -
                          parts_.world.steady_now();
        const bool goes_on = asking_++ == 0;
        auto data = co_await ask(cid, std::max<Duration>(left, Duration::zero()), goes_on);
        --asking_;
        more_.notify_all();
        if (data && !data.value()) continue;
        if (data) co_return std::move(*data.value());
        if (data.error().kind != Kind::timeout) co_return fail(data.error());
        // Others of this pin may have arrived meanwhile; only a standstill of all is a failure.
        if (parts_.world.steady_now() - last_progress_ < limit) continue;
        co_return fail(Kind::timeout, "no progress within " + format_go_duration(limit) +
                                          ": block " + cid.to_string() + " was not found; " +
                                          where_looked(parts_.options, session_.get()));
    }
}

Async<std::optional<Bytes>> PinWalk::ask(Cid cid, Duration limit, bool goes_on) {
    using namespace asio::experimental::awaitable_operators;
    auto fetching = session_->fetch(std::move(cid), limit);
    if (goes_on) {
        ICL_CO_TRY(auto data, co_await std::move(fetching));
        co_return std::optional<Bytes>(std::move(data));
    }
    auto first = co_await (detail::as_optional<Bytes>(std::move(fetching)) ||
                           detail::as_optional<void>(until_standstill()));
    if (first.index() == 1) {
        const auto& still = *std::get<1>(first);
        if (!still) co_return fail(still.error());
        co_return std::optional<Bytes>{};
    }
    auto& data = *std::get<0>(first);
    if (!data) co_return fail(data.error());
    co_return std::optional<Bytes>(std::move(data).value());
}

bool PinWalk::stands_still() const {
    return parts_.world.steady_now() - last_progress_ >= component::kPinSlowAfter;
}

Async<> PinWalk::until_standstill() {
    while (!stands_still()) {
        ICL_CO_TRY(co_await parts_.world.sleep_until(
            last_progress_ +
            std::chrono::duration_cast<SteadyTime::duration>(component::kPinSlowAfter)));
    }
    co_return ok();
}

void PinWalk::advanced(std::uint64_t bytes) {
    ++done_.blocks;
    done_.bytes += bytes;
    last_progress_ = parts_.world.steady_now();
    if (progress_) progress_(done_);
}

}  // namespace ipfscluster::node
