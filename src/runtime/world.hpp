#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "runtime/async.hpp"
#include "runtime/pool.hpp"

namespace ipfscluster {

using SteadyTime = std::chrono::steady_clock::time_point;

/// The one door to clock, chance and threads. Production is AsioWorld (one io thread, and threads
/// for each kind of blocking work), the simulation is SimWorld (virtual time, seeded). Owned by
/// main or the test, outlives every component. All members are called on the executor's strand, and
/// awaited functions resume there.
class World {
 public:
    virtual ~World() = default;

    /// The strand on which every component of this peer runs.
    virtual asio::any_io_executor executor() = 0;
    /// Monotonic; the only clock for liveness and deadlines.
    virtual SteadyTime steady_now() = 0;
    /// Wall clock; only for what people or other peers see.
    virtual Time system_now() = 0;
    virtual std::uint64_t random_u64() = 0;

    /// Resumes at or after `when`; `cancelled` when the awaiting coroutine is cancelled.
    virtual Async<> sleep_until(SteadyTime when) = 0;
    /// Runs `work` away from the strand, on a thread of its kind, and resumes on the strand.
    /// `unavailable` when too much of its kind waits. `cancelled` when the awaiting coroutine was
    /// cancelled, before or during the call: work that has not begun then never begins; work that
    /// has is not interrupted, and this returns when it has ended, so that what it refers to stays
    /// valid. Only a look-up is left alone at once, as it may hang: it owns what it uses.
    virtual Async<> run_blocking(Pool pool, std::function<void()> work) = 0;

    Async<> sleep_for(Duration d) {
        return sleep_until(steady_now() + std::chrono::duration_cast<SteadyTime::duration>(d));
    }
};

namespace detail {
template <class R>
struct OffloadTraits {
    using Value = R;
};
template <class T>
struct OffloadTraits<Result<T>> {
    using Value = T;
};

template <class F>
Async<typename OffloadTraits<std::invoke_result_t<F>>::Value> offload_value(World& world, Pool pool,
                                                                            F work) {
    using R = std::invoke_result_t<F>;
    // Shared with the pool thread: the caller of a look-up may be gone before the work ends.
    struct Slot {
        F work;
        std::optional<R> value;
    };
    auto slot = std::make_shared<Slot>(Slot{std::move(work), std::nullopt});
    // Named: g++ 12 destroys a capturing lambda made inside an awaiting expression twice.
    std::function<void()> job = [slot] { slot->value.emplace(slot->work()); };
    auto done = co_await world.run_blocking(pool, std::move(job));
    if (!done) co_return fail(done.error());
    co_return std::move(*slot->value);
}
}  // namespace detail

/// `auto work = [=] { return compute(); }; auto r = co_await offload(world, std::move(work));` The
/// callable owns what it uses, does not throw and returns a value or a Result (then its error
/// passes through). It must have a name: g++ 12 destroys captures of a lambda made inside an
/// awaiting expression twice. Without a pool it is bulk work.
template <class F>
auto offload(World& world, Pool pool, F work) {
    return detail::offload_value<F>(world, pool, std::move(work));
}
template <class F>
auto offload(World& world, F work) {
    return detail::offload_value<F>(world, Pool::bulk, std::move(work));
}

}  // namespace ipfscluster
