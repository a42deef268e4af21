#include "runtime/sim_world.hpp"

#include <gtest/gtest.h>

#include "runtime/task_group.hpp"

namespace ipfscluster {
namespace {

using namespace std::chrono_literals;

asio::awaitable<void> sleeper(SimWorld& world, int id, std::vector<std::string>& trace) {
    for (int round = 0; round < 5; ++round) {
        auto slept = co_await world.sleep_for(
            Duration(static_cast<std::int64_t>(world.random_between(1, 1000))));
        if (!slept) co_return;
        trace.push_back(std::to_string(id) + "@" +
                        std::to_string(world.steady_now().time_since_epoch().count()));
    }
}

std::vector<std::string> run_seed(std::uint64_t seed) {
    SimWorld world(seed);
    std::vector<std::string> trace;
    TaskGroup tasks(world, "test");
    for (int id = 0; id < 4; ++id) tasks.spawn(sleeper(world, id, trace));
    EXPECT_TRUE(world.run_until([&] { return tasks.size() == 0; }, 1s));
    return trace;
}

TEST(SimWorld, the_same_seed_gives_the_same_run_and_another_seed_another) {
    const auto first = run_seed(7);
    EXPECT_EQ(first.size(), 20u);
    EXPECT_EQ(first, run_seed(7));
    EXPECT_NE(first, run_seed(8));
}

asio::awaitable<void> sleep_long(World& world, Result<>& out) {
    auto slept = co_await world.sleep_for(1h);
    out = slept;
}

TEST(SimWorld, a_cancelled_sleep_ends_at_once) {
    SimWorld world(1);
    Result<> out = ok();
    const auto start = world.steady_now();
    TaskGroup tasks(world, "test");
    tasks.spawn(sleep_long(world, out));
    world.run_for(1s);
    tasks.cancel();
    ASSERT_TRUE(world.run_until([&] { return tasks.size() == 0; }, 1s));
    ASSERT_FALSE(out);
    EXPECT_EQ(out.error().kind, Kind::cancelled);
    EXPECT_LT(world.steady_now() - start, 2s);
}

TEST(SimWorld, run_for_moves_the_clock_even_when_nothing_happens) {
    SimWorld world(1);
    const auto start = world.steady_now();
    world.run_for(3s);
    EXPECT_EQ(world.steady_now() - start, 3s);
}

}  // namespace
}  // namespace ipfscluster
