// What run_blocking promises, of both worlds alike.
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/post.hpp>
#include <future>

#include "runtime/asio_world.hpp"
#include "runtime/sim_world.hpp"
#include "runtime/task_group.hpp"

namespace ipfscluster {
namespace {

using namespace std::chrono_literals;

/// Real threads; long work waits at a gate.
class AsioRig {
 public:
    ~AsioRig() {
        if (!open_) let_long_work_end();
    }
    World& world() { return world_; }
    std::function<void()> long_work() {
        return [count = count_, gate = gate_] {
            ++count->begun;
            gate.wait();
            ++count->ended;
        };
    }
    /// The long work asked for first has got its threads.
    bool wait_begun(std::size_t count) {
        return run_until([&] { return count_->begun == count; });
    }
    void let_long_work_end() {
        open_ = true;
        opener_.set_value();
    }
    int ended() const { return count_->ended; }
    bool run_until(const std::function<bool()>& done) {
        const auto end = std::chrono::steady_clock::now() + 30s;
        while (!done()) {
            if (std::chrono::steady_clock::now() > end) return false;
            io_.restart();
            io_.run_one_for(5ms);
        }
        return true;
    }
    /// Gives what could happen now the occasion.
    void turn() {
        io_.restart();
        for (int i = 0; i < 20; ++i) io_.run_one_for(1ms);
    }

 private:
    std::promise<void> opener_;
    std::shared_future<void> gate_ = opener_.get_future().share();
    struct Count {
        std::atomic<std::size_t> begun = 0;
        std::atomic<int> ended = 0;
    };
    std::shared_ptr<Count> count_ = std::make_shared<Count>();  ///< a look-up may outlive us
    bool open_ = false;
    asio::io_context io_;
    AsioWorld world_{io_};
};

/// Virtual time; long work takes an hour.
class SimRig {
 public:
    SimRig() { world_.set_blocking_delay(1h, 1h); }
    World& world() { return world_; }
    std::function<void()> long_work() {
        return [this] { ++ended_; };
    }
    bool wait_begun(std::size_t) { return true; }
    void let_long_work_end() { limit_ = 5h; }
    int ended() const { return ended_; }
    bool run_until(const std::function<bool()>& done) { return world_.run_until(done, limit_); }
    void turn() { world_.run_for(1s); }

 private:
    int ended_ = 0;
    Duration limit_ = 10s;
    SimWorld world_{1};
};

asio::awaitable<void> call(World* world, Pool pool, std::function<void()> work,
                           std::optional<Result<>>* out) {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto done = co_await world->run_blocking(pool, std::move(work));
    *out = std::move(done);
}

/// Its last wait took the cancellation for an ordinary failure.
asio::awaitable<void> call_late(World* world, std::function<void()> work,
                                std::optional<Result<>>* out) {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto slept = co_await world->sleep_for(1h);
    (void)slept;
    co_await call(world, Pool::bulk, std::move(work), out);
}

asio::awaitable<void> ask_late(World* world, std::optional<Result<>>* out) {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto slept = co_await world->sleep_for(1h);
    (void)slept;
    std::function<void()> nothing = [] {};
    auto done = co_await with_deadline<void>(*world, 1h, "late work",
                                             world->run_blocking(Pool::bulk, std::move(nothing)));
    *out = std::move(done);
}

bool is_cancelled(const std::optional<Result<>>& out) {
    return out && !*out && out->error().kind == Kind::cancelled;
}

/// On the strand: from outside it would be posted, and could meet tasks that have ended.
void cancel(World& world, TaskGroup& tasks) {
    asio::post(world.executor(), [&tasks] { tasks.cancel(); });
}

template <class Rig>
class Blocking : public testing::Test {};
using Worlds = testing::Types<AsioRig, SimRig>;
TYPED_TEST_SUITE(Blocking, Worlds);

TYPED_TEST(Blocking, a_cancelled_caller_hears_so_when_its_running_work_has_ended) {
    for (const auto pool : {Pool::bulk, Pool::log_sync}) {
        TypeParam rig;
        TaskGroup tasks(rig.world(), "test");
        std::optional<Result<>> out;
        tasks.spawn(call(&rig.world(), pool, rig.long_work(), &out));
        ASSERT_TRUE(rig.wait_begun(1));
        cancel(rig.world(), tasks);
        rig.turn();
        EXPECT_FALSE(out) << "what the work refers to may be gone too early";
        rig.let_long_work_end();
        ASSERT_TRUE(rig.run_until([&] { return out.has_value(); }));
        EXPECT_TRUE(is_cancelled(out));
        EXPECT_EQ(rig.ended(), 1);
        ASSERT_TRUE(rig.run_until([&] { return tasks.size() == 0; }));
    }
}

TYPED_TEST(Blocking, work_that_waits_for_its_turn_is_dropped_with_its_caller) {
    TypeParam rig;
    TaskGroup first(rig.world(), "first"), second(rig.world(), "second");
    std::optional<Result<>> a, b, dropped;
    first.spawn(call(&rig.world(), Pool::bulk, rig.long_work(), &a));
    first.spawn(call(&rig.world(), Pool::bulk, rig.long_work(), &b));
    ASSERT_TRUE(rig.wait_begun(2));
    second.spawn(call(&rig.world(), Pool::bulk, rig.long_work(), &dropped));
    rig.turn();
    cancel(rig.world(), second);
    ASSERT_TRUE(rig.run_until([&] { return dropped.has_value(); }));
    EXPECT_TRUE(is_cancelled(dropped));
    rig.let_long_work_end();
    ASSERT_TRUE(rig.run_until([&] { return first.size() + second.size() == 0; }));
    EXPECT_TRUE(a && *a && b && *b);
    EXPECT_EQ(rig.ended(), 2);
}

TYPED_TEST(Blocking, the_caller_of_a_look_up_does_not_wait_for_it) {
    TypeParam rig;
    TaskGroup tasks(rig.world(), "test");
    std::optional<Result<>> out;
    tasks.spawn(call(&rig.world(), Pool::names, rig.long_work(), &out));
    ASSERT_TRUE(rig.wait_begun(1));
    cancel(rig.world(), tasks);
    ASSERT_TRUE(rig.run_until([&] { return out.has_value(); }));
    EXPECT_TRUE(is_cancelled(out));
    EXPECT_EQ(rig.ended(), 0);
    rig.let_long_work_end();
    ASSERT_TRUE(rig.run_until([&] { return rig.ended() == 1; }));
}

TYPED_TEST(Blocking, a_call_begun_after_the_cancellation_does_nothing) {
    TypeParam rig;
    TaskGroup tasks(rig.world(), "test");
    std::optional<Result<>> out;
    rig.let_long_work_end();
    tasks.spawn(call_late(&rig.world(), rig.long_work(), &out));
    rig.turn();
    cancel(rig.world(), tasks);
    ASSERT_TRUE(rig.run_until([&] { return out.has_value(); }));
    EXPECT_TRUE(is_cancelled(out));
    rig.turn();
    EXPECT_EQ(rig.ended(), 0);
}

TYPED_TEST(Blocking, a_deadline_begun_after_the_cancellation_feels_it) {
    TypeParam rig;
    TaskGroup tasks(rig.world(), "test");
    std::optional<Result<>> out;
    tasks.spawn(ask_late(&rig.world(), &out));
    rig.turn();
    cancel(rig.world(), tasks);
    ASSERT_TRUE(rig.run_until([&] { return out.has_value(); }));
    EXPECT_TRUE(is_cancelled(out)) << "it would wait, and its loop repeat, for ever";
    ASSERT_TRUE(rig.run_until([&] { return tasks.size() == 0; }));
}

TYPED_TEST(Blocking, no_kind_waits_behind_another) {
    TypeParam rig;
    TaskGroup busy(rig.world(), "busy"), tasks(rig.world(), "test");
    std::vector<std::optional<Result<>>> held(20);
    for (std::size_t i = 0; i < held.size(); ++i)
        busy.spawn(
            call(&rig.world(), i % 2 == 0 ? Pool::bulk : Pool::names, rig.long_work(), &held[i]));
    ASSERT_TRUE(rig.wait_begun(limits_of(Pool::bulk).threads + limits_of(Pool::names).threads));
    std::optional<Result<>> synced;
    if constexpr (std::is_same_v<TypeParam, SimRig>)
        static_cast<SimWorld&>(rig.world()).pools().set_delay(Pool::log_sync, 1ms, 1ms);
    tasks.spawn(call(
        &rig.world(), Pool::log_sync, [] {}, &synced));
    ASSERT_TRUE(rig.run_until([&] { return synced.has_value(); }));
    EXPECT_TRUE(*synced);
    EXPECT_EQ(rig.ended(), 0);
    rig.let_long_work_end();
    ASSERT_TRUE(rig.run_until([&] { return busy.size() == 0; }));
}

TYPED_TEST(Blocking, more_look_ups_than_may_wait_are_refused_by_name) {
    TypeParam rig;
    TaskGroup tasks(rig.world(), "test");
    constexpr auto limits = limits_of(Pool::names);
    std::vector<std::optional<Result<>>> held(limits.threads);
    std::vector<std::optional<Result<>>> waiting(limits.queue_max);
    for (auto& out : held) tasks.spawn(call(&rig.world(), Pool::names, rig.long_work(), &out));
    ASSERT_TRUE(rig.wait_begun(limits.threads));
    for (auto& out : waiting) tasks.spawn(call(&rig.world(), Pool::names, rig.long_work(), &out));
    std::optional<Result<>> refused;
    tasks.spawn(call(&rig.world(), Pool::names, rig.long_work(), &refused));
    ASSERT_TRUE(rig.run_until([&] { return refused.has_value(); }));
    ASSERT_FALSE(*refused);
    EXPECT_EQ(refused->error().kind, Kind::unavailable);
    EXPECT_EQ(refused->error().text, "name look-ups: 16 wait already");
    cancel(rig.world(), tasks);
    rig.let_long_work_end();
    ASSERT_TRUE(rig.run_until([&] { return tasks.size() == 0; }));
}

TEST(AsioWorld, ends_without_waiting_for_a_look_up_that_hangs) {
    std::promise<void> opener;
    const auto gate = opener.get_future().share();
    std::promise<void> begun, ended;
    std::optional<Result<>> out;
    {
        asio::io_context io;
        AsioWorld world(io);
        TaskGroup tasks(world, "test");
        tasks.spawn(call(
            &world, Pool::names,
            [gate, &begun, &ended] {
                begun.set_value();
                gate.wait();
                ended.set_value();
            },
            &out));
        io.poll();
        begun.get_future().wait();
        cancel(world, tasks);
        io.run();
        world.join();
    }
    EXPECT_TRUE(is_cancelled(out));
    opener.set_value();
    ended.get_future().wait();
}

}  // namespace
}  // namespace ipfscluster
