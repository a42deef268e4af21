#include "peer/shutdown.hpp"

#include <gtest/gtest.h>

#include "peer/hurry.hpp"
#include "support/drive.hpp"

namespace ipfscluster::peer {
namespace {

using namespace std::chrono_literals;
using test::drive;
using test::start;

Async<> part(std::vector<std::string>* ended, std::string name, Result<> result) {
    ended->push_back(std::move(name));
    co_return result;
}

Async<> shut_down(Shutdown* shutdown, std::vector<std::string>* ended) {
    co_await shutdown->step("saving", part(ended, "save", fail(Kind::disk_full, "no room")));
    co_await shutdown->stop_component("a", part(ended, "a", fail(Kind::internal, "a is stuck")));
    co_await shutdown->stop_component("b", part(ended, "b", fail(Kind::internal, "b as well")));
    co_await shutdown->stop_component("c", part(ended, "c", ok()));
    co_return shutdown->result();
}

TEST(Shutdown, goes_through_all_parts_and_ends_with_the_first_component_that_failed) {
    SimWorld world(1);
    Shutdown shutdown(world);
    std::vector<std::string> ended;
    const auto result = drive(world, shut_down(&shutdown, &ended));
    EXPECT_EQ(ended, (std::vector<std::string>{"save", "a", "b", "c"}));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, Kind::internal);
    EXPECT_EQ(result.error().text, "shutdown: a: a is stuck");
}

Async<> fail_a_step(Shutdown* shutdown, std::vector<std::string>* ended) {
    co_await shutdown->step("saving", part(ended, "save", fail(Kind::disk_full, "no room")));
    co_return shutdown->result();
}

TEST(Shutdown, a_step_that_fails_is_no_failure_of_the_whole) {
    SimWorld world(1);
    Shutdown shutdown(world);
    std::vector<std::string> ended;
    ICL_EXPECT_OK(drive(world, fail_a_step(&shutdown, &ended)));
    EXPECT_EQ(ended.size(), 1u);
}

Async<> wait_an_hour(World* world, bool* done) {
    auto slept = co_await world->sleep_for(1h);
    *done = slept.has_value();
    co_return slept;
}

TEST(Hurry, cuts_what_waits_and_what_has_not_begun) {
    SimWorld world(1);
    Hurry hurry(world);
    bool done = false;
    const auto waiting = start(world, hurry.unless(wait_an_hour(&world, &done)));
    world.run_for(1s);
    EXPECT_FALSE(waiting->has_value());
    hurry.now();
    world.run_for(1s);
    ASSERT_TRUE(waiting->has_value());
    EXPECT_EQ((**waiting).error().kind, Kind::shutting_down);
    EXPECT_FALSE(done);
    const auto later = drive(world, hurry.unless(wait_an_hour(&world, &done)), 1s);
    EXPECT_EQ(later.error().kind, Kind::shutting_down);
}

}  // namespace
}  // namespace ipfscluster::peer
