#include "runtime/task_group.hpp"

#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>

#include <sstream>

#include "base/log.hpp"
#include "runtime/sim_world.hpp"

namespace ipfscluster {
namespace {

using namespace std::chrono_literals;

Async<int> answer_after(World& world, Duration wait) {
    auto slept = co_await world.sleep_for(wait);
    if (!slept) co_return fail(slept.error());
    co_return 42;
}

asio::awaitable<void> ask(World& world, Duration wait, Duration limit,
                          std::optional<Result<int>>& out) {
    auto answer = co_await with_deadline(world, limit, "question", answer_after(world, wait));
    out = answer;
}

TEST(Deadline, gives_the_answer_that_comes_in_time) {
    SimWorld world(1);
    TaskGroup tasks(world, "test");
    std::optional<Result<int>> out;
    tasks.spawn(ask(world, 1s, 2s, out));
    ASSERT_TRUE(world.run_until([&] { return tasks.size() == 0; }, 5s));
    ASSERT_TRUE(*out);
    EXPECT_EQ(out->value(), 42);
}

TEST(Deadline, cancels_the_work_and_names_it_when_time_is_over) {
    SimWorld world(1);
    TaskGroup tasks(world, "test");
    std::optional<Result<int>> out;
    const auto start = world.steady_now();
    tasks.spawn(ask(world, 1h, 2s, out));
    ASSERT_TRUE(world.run_until([&] { return tasks.size() == 0; }, 5s));
    ASSERT_FALSE(*out);
    EXPECT_EQ(out->error().kind, Kind::timeout);
    EXPECT_EQ(out->error().text, "question: no answer within 2s");
    EXPECT_EQ(world.steady_now() - start, 2s);
}

TEST(Deadline, a_cancelled_caller_cancels_the_work) {
    SimWorld world(1);
    TaskGroup tasks(world, "test");
    std::optional<Result<int>> out;
    tasks.spawn(ask(world, 1h, 2h, out));
    world.run_for(1s);
    tasks.cancel();
    ASSERT_TRUE(world.run_until([&] { return tasks.size() == 0; }, 1s));
    ASSERT_FALSE(*out);
    EXPECT_EQ(out->error().kind, Kind::cancelled);
}

asio::awaitable<void> wait_for(Signal& signal, int id, std::vector<int>& order) {
    auto woken = co_await signal.wait();
    order.push_back(woken ? id : -id);
}

TEST(Signal, wakes_in_the_order_of_coming) {
    SimWorld world(1);
    TaskGroup tasks(world, "test");
    Signal signal(world.executor());
    std::vector<int> order;
    for (int id = 1; id <= 3; ++id) tasks.spawn(wait_for(signal, id, order));
    world.run_for(1ms);
    signal.notify_one();
    world.run_for(1ms);
    EXPECT_EQ(order, (std::vector{1}));
    signal.notify_all();
    world.run_for(1ms);
    EXPECT_EQ(order, (std::vector{1, 2, 3}));
}

TEST(TaskGroup, refuses_new_tasks_once_it_stops) {
    SimWorld world(1);
    TaskGroup tasks(world, "test");
    Signal signal(world.executor());
    std::vector<int> order;
    tasks.spawn(wait_for(signal, 1, order));
    world.run_for(1ms);
    tasks.cancel();
    EXPECT_FALSE(tasks.spawn(wait_for(signal, 2, order)));
    ASSERT_TRUE(world.run_until([&] { return tasks.size() == 0; }, 1s));
    EXPECT_EQ(order, (std::vector{-1}));
}

asio::awaitable<void> give_turns(SimWorld& world) {
    while (true) co_await asio::post(world.executor(), asio::use_awaitable);
}

TEST(TaskGroup, a_task_that_is_cancelled_while_it_gives_others_a_turn_is_no_error) {
    std::ostringstream said;
    const auto sink = std::make_shared<spdlog::sinks::ostream_sink_st>(said);
    auto& sinks = logger("cluster")->sinks();
    sinks.push_back(sink);
    SimWorld world(1);
    TaskGroup tasks(world, "test");
    tasks.spawn(give_turns(world));
    for (int i = 0; i < 3; ++i) world.step();
    asio::post(world.executor(), [&] { tasks.cancel(); });
    EXPECT_TRUE(world.run_until([&] { return tasks.size() == 0; }, 1s));
    sinks.pop_back();
    EXPECT_EQ(said.str(), "");
}

}  // namespace
}  // namespace ipfscluster
