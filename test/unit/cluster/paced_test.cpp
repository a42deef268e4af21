// How often a walk is made for those who ask again and again.
#include "cluster/paced.hpp"

#include <gtest/gtest.h>

#include "runtime/sim_world.hpp"
#include "support/drive.hpp"

namespace ipfscluster::cluster {
namespace {

using namespace std::chrono_literals;

struct PacedTest : ::testing::Test {
    static Async<int> walk(PacedTest* test) {
        ++test->walks;
        const auto number = test->walks;
        auto slept = co_await test->world.sleep_for(test->takes);
        if (!slept) co_return fail(slept.error());
        if (test->fails) co_return fail(Kind::internal, "the disk is gone");
        co_return number;
    }
    Async<int> get() {
        return paced.get([this] { return walk(this); });
    }

    SimWorld world{1};
    Paced<int> paced{world};
    Duration takes = 100ms;
    bool fails = false;
    int walks = 0;
};

TEST_F(PacedTest, it_walks_a_tenth_of_the_time_however_often_it_is_asked) {
    const auto end = world.steady_now() + 60s;
    while (world.steady_now() < end) {
        EXPECT_TRUE(test::drive(world, get()));
        world.run_for(50ms);
    }
    EXPECT_GE(walks, 50);
    EXPECT_LE(walks, 56);
}

TEST_F(PacedTest, who_comes_meanwhile_shares_the_walk) {
    auto first = test::start<int>(world, get());
    auto second = test::start<int>(world, get());
    ASSERT_TRUE(world.run_until([&] { return first->has_value() && second->has_value(); }, 1s));
    EXPECT_EQ((*first)->value(), 1);
    EXPECT_EQ((*second)->value(), 1);
    EXPECT_EQ(walks, 1);
}

TEST_F(PacedTest, a_failure_is_nobody_elses_answer) {
    fails = true;
    auto first = test::start<int>(world, get());
    auto second = test::start<int>(world, get());
    ASSERT_TRUE(world.run_until([&] { return first->has_value(); }, 1s));
    EXPECT_FALSE((*first)->has_value());
    fails = false;
    ASSERT_TRUE(world.run_until([&] { return second->has_value(); }, 1s));
    EXPECT_EQ((*second)->value(), 2);
}

}  // namespace
}  // namespace ipfscluster::cluster
