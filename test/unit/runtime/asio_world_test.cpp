#include "runtime/asio_world.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "runtime/task_group.hpp"

namespace ipfscluster {
namespace {

asio::awaitable<void> offload_many(World& world, std::thread::id strand, int& sum,
                                   bool& on_strand) {
    for (int i = 0; i < 100; ++i) {
        auto value = co_await offload(world, [i, strand]() -> Result<int> {
            if (std::this_thread::get_id() == strand) return fail(Kind::internal, "not offloaded");
            return i;
        });
        if (!value) co_return;
        on_strand = on_strand && std::this_thread::get_id() == strand;
        sum += value.value();
    }
}

TEST(AsioWorld, blocking_work_runs_elsewhere_and_comes_back) {
    asio::io_context io;
    AsioWorld world(io);
    int first = 0, second = 0;
    bool on_strand = true;
    {
        TaskGroup tasks(world, "test");
        tasks.spawn(offload_many(world, std::this_thread::get_id(), first, on_strand));
        tasks.spawn(offload_many(world, std::this_thread::get_id(), second, on_strand));
        io.run();
    }
    EXPECT_EQ(first, 4950);
    EXPECT_EQ(second, 4950);
    EXPECT_TRUE(on_strand);
}

/// As a loop whose last wait took the cancellation for an ordinary failure.
asio::awaitable<void> sleep_after_a_swallowed_cancellation(World& world, Result<>& second) {
    auto first = co_await world.sleep_for(std::chrono::hours(1));
    (void)first;
    auto slept = co_await world.sleep_for(std::chrono::milliseconds(20));
    second = std::move(slept);
}

TEST(AsioWorld, a_sleep_begun_after_the_cancellation_is_cancelled_too) {
    asio::io_context io;
    AsioWorld world(io);
    Result<> second = ok();
    TaskGroup tasks(world, "test");
    tasks.spawn(sleep_after_a_swallowed_cancellation(world, second));
    io.poll();
    tasks.cancel();
    io.run();
    ASSERT_FALSE(second) << "it would sleep, and its loop repeat, for ever";
    EXPECT_EQ(second.error().kind, Kind::cancelled);
}

}  // namespace
}  // namespace ipfscluster
