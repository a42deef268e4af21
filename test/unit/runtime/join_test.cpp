#include "runtime/join.hpp"

#include <gtest/gtest.h>

#include "runtime/sim_world.hpp"

namespace ipfscluster {
namespace {

using namespace std::chrono_literals;

/// Ends only some time after it was cancelled.
asio::awaitable<void> end_slowly(SimWorld* world, int* touched) {
    co_await asio::this_coro::throw_if_cancelled(false);
    world->set_blocking_delay(90s, 90s);
    std::function<void()> work = [] {};
    auto done = co_await world->run_blocking(Pool::bulk, std::move(work));
    EXPECT_FALSE(done);
    ++*touched;
}

/// Its task refers to its frame.
asio::awaitable<void> own_a_task(SimWorld* world, int* seen, bool* still_cancelled) {
    co_await asio::this_coro::throw_if_cancelled(false);
    int touched = 0;
    TaskGroup tasks(*world, "inner");
    tasks.spawn(end_slowly(world, &touched));
    auto slept = co_await world->sleep_for(1min);
    (void)slept;
    co_await join(tasks);
    EXPECT_EQ(tasks.size(), 0U);
    auto state = co_await check_cancelled();
    *still_cancelled = !state && state.error().kind == Kind::cancelled;
    *seen = touched;
}

TEST(Join, waits_for_the_tasks_of_a_cancelled_caller_which_stays_cancelled) {
    SimWorld world(1);
    TaskGroup outer(world, "outer");
    int seen = 0;
    bool cancelled = false;
    outer.spawn(own_a_task(&world, &seen, &cancelled));
    world.run_for(1s);
    outer.cancel();
    world.run_for(100ms);
    EXPECT_EQ(outer.size(), 1U) << "its task has not ended";
    ASSERT_TRUE(world.run_until([&] { return outer.size() == 0; }, 2min));
    EXPECT_EQ(seen, 1);
    EXPECT_TRUE(cancelled);
}

TEST(Join, ends_the_tasks_of_a_caller_that_goes_on) {
    SimWorld world(1);
    TaskGroup outer(world, "outer");
    int seen = 0;
    bool cancelled = true;
    outer.spawn(own_a_task(&world, &seen, &cancelled));
    ASSERT_TRUE(world.run_until([&] { return outer.size() == 0; }, 2min));
    EXPECT_EQ(seen, 1);
    EXPECT_FALSE(cancelled);
}

}  // namespace
}  // namespace ipfscluster
